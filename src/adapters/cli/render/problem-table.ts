import { NANOS_PER_MS } from "../../../domain/time.ts";
import { PROBLEM_REASONS, problemText } from "../../../domain/problem-reason.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { ListedProblem } from "../api/problems-answer.ts";
import type { Palette } from "./palette.ts";
import { dateText } from "./quantities.ts";

const SHOWN = 5;
const INDENT = "  ";

/** The newest problems, each with what to do about it below. What is too wide is wrapped. */
export function problemTable(
  problems: readonly ListedProblem[],
  columns: number,
  { heading, odd, faint }: Palette,
): string[] {
  if (problems.length === 0) return [];
  const more = problems.length - SHOWN;
  const others = more > 0 ? `, and ${more} more at /api/problems` : "";
  const lines = problems.slice(0, SHOWN).flatMap((problem) => {
    const what = wrapped(whatText(problem), columns).map(odd);
    const hint = wrapped(quotePeerText(problem.hint), columns - INDENT.length);
    return what.concat(hint.map((line) => faint(INDENT + line)));
  });
  return [heading(`problems, newest first${others}`)].concat(lines);
}

function whatText({ protocol, reason, address = "", detail = "", ...problem }: ListedProblem) {
  const time = dateText(BigInt(Date.parse(problem.last)) * NANOS_PER_MS);
  const from = address === "" ? "" : ` from ${quotePeerText(address)}`;
  const why = detail === "" ? "" : `: ${quotePeerText(detail)}`;
  return `${time} ${quotePeerText(protocol)}${from}: ${fateText(reason, problem.count)}${why}`;
}

/** A newer server may have reasons that this program does not know. */
function fateText(reason: string, count: number): string {
  const known = PROBLEM_REASONS.find((each) => each === reason);
  return known === undefined ? `${count} x ${quotePeerText(reason)}` : problemText(known, count);
}

function wrapped(text: string, columns: number): string[] {
  return Bun.wrapAnsi(text, Math.max(1, columns), { hard: true }).split("\n");
}
