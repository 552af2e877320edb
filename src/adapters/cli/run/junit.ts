import { PLAIN } from "../output/palette.ts";
import { type CheckedExpectation, lossTexts } from "./check-expectations.ts";
import { failureLines } from "./failure-lines.ts";
import { hasFoundNothing, type Outcome, nameLines } from "./run-report.ts";

/** The width of tables in the file, where no terminal determines it. */
const TEXT_COLUMNS = 120;

/** Returns the tests of a JUnit file: the command, and each expectation. */
export function outcomeCases(outcome: Outcome): TestCase[] {
  const { command, end, checked, commandSeconds: seconds, checkSeconds } = outcome;
  const { reason, exitCode } = end;
  const failure = exitCode === 0 ? {} : { failure: reason ?? `ended with ${exitCode}` };
  const share = checkSeconds / Math.max(1, checked.length);
  return [
    { name: command.join(" "), seconds, ...failure },
    ...checked.map((each) => expectationCase(each, outcome, share)),
  ];
}

function expectationCase(
  checked: CheckedExpectation,
  { received }: Outcome,
  seconds: number,
): TestCase {
  const { text: name } = checked.expectation;
  if (checked.isMet) return { name, seconds };
  const names = hasFoundNothing(checked) ? received.names : undefined;
  const lines = [
    ...failureLines(checked, TEXT_COLUMNS, PLAIN),
    received.text,
    ...(names === undefined ? [] : nameLines(names, TEXT_COLUMNS, PLAIN)),
    ...lossTexts(received.losses),
    ...received.absence,
  ];
  return { name, seconds, failure: lines.join("\n") };
}

/** A test of a run: the command itself, or an expectation. */
export interface TestCase {
  readonly name: string;
  readonly seconds: number;
  /** The lines that explain a failure; undefined for a success. */
  readonly failure?: string;
}

/**
 * Returns a run as a JUnit file for CI systems: one suite with a test for the command and one for
 * each expectation. Source: the schema of the Jenkins xUnit plugin, `junit-10.xsd`.
 */
export function junitXml(cases: readonly TestCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const time = secondsText(cases.reduce((sum, { seconds }) => sum + seconds, 0));
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" time="${time}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="spanring" ${counts} skipped="0">`,
    ...cases.map(testCase),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ name, seconds, failure }: TestCase): string {
  const head = `    <testcase classname="spanring.run" name="${escaped(name)}"`;
  const timed = `${head} time="${secondsText(seconds)}"`;
  if (failure === undefined) return `${timed}/>`;
  const message = escaped(failure.split("\n")[0] ?? "");
  const body = `      <failure message="${message}">${escaped(failure)}</failure>`;
  return `${timed}>\n${body}\n    </testcase>`;
}

function secondsText(seconds: number): string {
  return seconds.toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Characters that XML 1.0 does not allow, not even escaped. */
const NOT_IN_XML = /[^\P{Cc}\t\n]|[\ufffe\uffff]/gu;

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(NOT_IN_XML, "\ufffd")
    .replaceAll(/[&<>"\n]/g, (character) => ENTITIES[character] ?? character);
}
