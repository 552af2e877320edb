import {
  ProblemRegistry,
  type ProblemTotal,
} from "../../../src/application/receiving/problem-registry.ts";
import { type ProblemReason } from "../../../src/domain/problem-reason.ts";
import { hintFor } from "../../../src/domain/problem-text.ts";
import type { Logger } from "../../../src/ports/logger.ts";
import { HandMovedClock } from "./hand-moved-clock.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };

/** Returns a registry for listeners on the usual ports. */
export function recordingProblems(logger: Logger): ProblemRegistry {
  return new ProblemRegistry({
    logger,
    clock: new HandMovedClock(),
    unixMs: Date.now,
    ports: () => PORTS,
  });
}

type Counts = Partial<Readonly<Record<ProblemReason, number>>>;

/** Returns the counts by reason, over all listeners. */
export function countsOf(problems: { totals(): readonly ProblemTotal[] }): Counts {
  const some = problems.totals().filter(({ count }) => count > 0);
  return Object.fromEntries(some.map(({ reason, count }) => [reason, count]));
}

/** Returns the totals of a registry after these problems over HTTP. */
export function problemTotals(counts: Counts, detail = ""): ProblemTotal[] {
  return (Object.keys(counts) as ProblemReason[]).map((reason) => {
    return {
      protocol: "http",
      reason,
      count: counts[reason]!,
      detail,
      hint: hintFor(reason, PORTS),
    };
  });
}
