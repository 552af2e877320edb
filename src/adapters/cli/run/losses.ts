import { countedText } from "../render/quantities.ts";
import type { Receiver } from "./receiver.ts";

/** What came, or was to come, and cannot be looked at: any of it may have matched. */
export interface Losses {
  readonly evictedSpans: number;
  readonly rejectedSpans: number;
  /** Because the ring was full; of these it is not known whether they came again later. */
  readonly refusedRequests: number;
  /** For any other reason. */
  readonly unkeptRequests: number;
}

export function lossesOf({ buffer, requests }: Pick<Receiver, "buffer" | "requests">): Losses {
  const { evicted: evictedSpans, rejected: rejectedSpans } = buffer.stats().spans;
  const unkeptRequests = requests("malformed") + requests("too_large") + requests("failed");
  return { evictedSpans, rejectedSpans, refusedRequests: requests("refused"), unkeptRequests };
}

export function isAnythingLost(losses: Losses): boolean {
  return Object.values(losses).some((count: number) => count > 0);
}

const MORE_ROOM = "set MAX_BUFFER_SIZE, or MAX_BUFFER_BYTES, to more than the command emits";

/** Why an expectation may have missed what was sent, and what to do. */
export function lossTexts(losses: Losses): string[] {
  const { evictedSpans, rejectedSpans, refusedRequests, unkeptRequests } = losses;
  return [
    ...lossText(evictedSpans, "span", `evicted before anybody could look; ${MORE_ROOM}`),
    ...lossText(refusedRequests, "request", `refused by a full buffer; ${MORE_ROOM}`),
    ...lossText(rejectedSpans, "span", "rejected as not valid; mend the exporter"),
    ...lossText(
      unkeptRequests,
      "request",
      "malformed, or larger than a limit such as MAX_BUFFER_SIZE",
    ),
  ];
}

function lossText(count: number, noun: string, fate: string): string[] {
  if (count === 0) return [];
  const lost = `${countedText(count, noun)} ${count === 1 ? "was" : "were"}`;
  return [`expectations may have missed spans: ${lost} ${fate}`];
}
