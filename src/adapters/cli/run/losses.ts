import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import { PROBLEM_KINDS, problemText } from "../../../domain/problem-reason.ts";
import type { Receiver } from "./receiver.ts";

/** What was refused or discarded, and whether anything came in at all. */
export interface Losses {
  readonly problems: readonly ProblemTotal[];
  readonly hasSpans: boolean;
}

export function lossesOf({ buffer, problems }: Pick<Receiver, "buffer" | "problems">): Losses {
  const hasSpans = buffer.stats().spans.received > 0;
  return { problems: problems().filter(({ count }) => count > 0), hasSpans };
}

/** Whether what was refused or discarded may have matched. */
export function isAnythingLost({ problems }: Losses): boolean {
  return problems.some(mayLoseSpans);
}

/**
 * Why spans may be missing, and what to do. Where nothing came in at all, everything that came in
 * its place: it may be all that an exporter has sent.
 */
export function lossTexts({ problems, hasSpans }: Losses): string[] {
  if (!hasSpans) return problems.map((each) => `no span arrived, but ${lossText(each)}`);
  return problems.filter(mayLoseSpans).map((each) => `spans may be missing: ${lossText(each)}`);
}

function mayLoseSpans({ reason }: ProblemTotal): boolean {
  return PROBLEM_KINDS[reason].mayLoseSpans;
}

function lossText({ reason, count, detail, hint }: ProblemTotal): string {
  const why = detail === "" ? "" : ` (${detail})`;
  return `${problemText(reason, count)}${why}; ${hint}`;
}
