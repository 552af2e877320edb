import { PLAIN } from "../render/palette.ts";
import type { CheckedExpectation } from "./check-expectations.ts";
import type { TestCase } from "./junit.ts";
import { lossTexts } from "./losses.ts";
import { hasFoundNothing, type Outcome } from "./run-outcome.ts";
import { failureLines, nameLines } from "./run-report.ts";

/** Of a text in a file, which no terminal's width limits. */
const TEXT_COLUMNS = 120;

/** The tests of a JUnit file: the command, and each expectation. */
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
  ];
  return { name, seconds, failure: lines.join("\n") };
}
