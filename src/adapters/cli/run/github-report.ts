import { appendFileSync, statSync } from "node:fs";
import { escapePeerText, quotePeerText } from "../../../domain/text/quote-text.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";
import type { TestCase } from "./junit.ts";

/** GitHub shows ten errors of a step, and silently drops the others. */
const MAX_ANNOTATIONS = 10;

/** The runner cuts the message of an annotation after so many characters. */
const MAX_MESSAGE_CHARACTERS = 4096;

/** A title is one line in the list of annotations. */
const MAX_TITLE_CHARACTERS = 120;

/** The runner rejects the whole summary of a step that is larger. */
const MAX_SUMMARY_FILE_BYTES = 1024 * 1024;

/** Leaves room for other commands of the step. */
const MAX_SUMMARY_BYTES = 64 * 1024;
const MAX_FAILURE_CHARACTERS = 8 * 1024;

/**
 * Reports a run to GitHub, if it runs there: an annotation for each failure, and a summary of the
 * step. The runner reads annotations from standard error too, so that output stays the command's.
 */
export function reportToGithub(run: CommandRun, cases: readonly TestCase[]): void {
  const { GITHUB_ACTIONS: isGithub, GITHUB_STEP_SUMMARY: summaryFile } = run.env;
  if (isGithub !== "true") return;
  const annotations = annotationLines(cases);
  // The last line of the command may lack its end, and only a whole line is an annotation.
  if (annotations.length > 0) run.stderr.write(`\n${annotations.join("\n")}\n`);
  const isPlainSuccess = cases.length === 1 && annotations.length === 0;
  if (summaryFile && !isPlainSuccess) appendSummary(run, summaryFile, summaryMarkdown(cases));
}

/**
 * Returns a workflow command for each failure.
 * Source: GitHub, "Workflow commands for GitHub Actions"; the escapes are those of `@actions/core`.
 */
export function annotationLines(cases: readonly TestCase[]): string[] {
  const lines = cases.flatMap(({ name, failure }) => {
    if (failure === undefined) return [];
    const title = cut(`spanring: ${escapePeerText(name)}`, MAX_TITLE_CHARACTERS);
    return [annotation(title, cut(failure, MAX_MESSAGE_CHARACTERS))];
  });
  if (lines.length <= MAX_ANNOTATIONS) return lines;
  const others = lines.length - (MAX_ANNOTATIONS - 1);
  const last = annotation("spanring", `${countedText(others, "more failure")}: see the log`);
  return [...lines.slice(0, MAX_ANNOTATIONS - 1), last];
}

function annotation(title: string, message: string): string {
  const property = escapedData(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error title=${property}::${escapedData(message)}`;
}

function escapedData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters
    ? text
    : `${text.slice(0, maxCharacters - 1).toWellFormed()}…`;
}

/**
 * Returns the summary: the result of each case, then the failures in full, as many as there is room
 * for. What is shown comes from peers, so it is only ever inside of code.
 */
export function summaryMarkdown(cases: readonly TestCase[]): string {
  const failed = cases.filter(({ failure }) => failure !== undefined);
  const count = failed.length === 0 ? "passed" : `${failed.length} of ${cases.length} failed`;
  const results = cases.map(({ name, failure }) => {
    return `- ${failure === undefined ? "✅" : "❌"} ${codeSpan(escapePeerText(name))}\n`;
  });
  const failures = failed.map(({ name, failure = "" }) => {
    const block = codeBlock(cut(failure, MAX_FAILURE_CHARACTERS));
    return `\n${codeSpan(escapePeerText(name))}\n\n${block}`;
  });
  return `### spanring: ${count}\n\n${firstPieces([...results, ...failures])}\n`;
}

/** Returns the pieces that fit, and how many were left out. A piece is never cut. */
function firstPieces(pieces: readonly string[]): string {
  const shown: string[] = [];
  let leftBytes = MAX_SUMMARY_BYTES;
  for (const piece of pieces) {
    leftBytes -= Buffer.byteLength(piece);
    if (leftBytes < 0) break;
    shown.push(piece);
  }
  const others = pieces.length - shown.length;
  if (others === 0) return shown.join("");
  return `${shown.join("")}\n… and ${countedText(others, "more item")}: see the log\n`;
}

function codeSpan(text: string): string {
  const fence = fenceFor(text, 1);
  return `${fence} ${cut(text, MAX_MESSAGE_CHARACTERS)} ${fence}`;
}

function codeBlock(text: string): string {
  const fence = fenceFor(text, 3);
  return `${fence}text\n${text}\n${fence}\n`;
}

/** Returns more backticks than the text has in a row. Source: CommonMark 0.31, section 4.5. */
function fenceFor(text: string, minLength: number): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  return "`".repeat(Math.max(minLength, longest + 1));
}

/** Appends to the summary of the step. A summary that cannot be written does not fail the run. */
function appendSummary(run: CommandRun, path: string, markdown: string): void {
  const shown = `GITHUB_STEP_SUMMARY "${quotePeerText(path)}"`;
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const isFull = size + Buffer.byteLength(markdown) > MAX_SUMMARY_FILE_BYTES;
    if (isFull) report(run, `warning: ${shown} is full, so this run is not in it`);
    else appendFileSync(path, markdown);
  } catch (error) {
    report(run, `warning: cannot write ${shown}: ${systemErrorText(error)}`);
  }
}
