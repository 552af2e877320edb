import type { SpanAmount } from "../../domain/ledger.ts";
import { cutRequest } from "../../domain/wire/assemble.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { createWalkedRequest, type WalkedRequest } from "../../domain/wire/walked-request.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import type { StoredRequest } from "./read-stored.ts";
import type { SequenceRange } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";

/** The result of filling a ring from the log. */
export interface RestoredRing {
  readonly restored: SpanAmount;
  /** The number of spans for which the ring is too small; they are still in the log. */
  readonly unfitSpans: number;
  /** Those of them that are alone larger than the ring; the others are before all restored ones. */
  readonly unfit: readonly SequenceRange[];
}

/** Requests were logged with any depth that spanring supports. */
const NESTING_DEPTH = 100;
const USUAL_SPANS = 1024;

/**
 * Fills a new ring with all stored spans, with their sequences and times of arrival. If the ring is
 * smaller than before, the newest spans stay.
 */
export async function restoreFromLog(
  log: SpanLog,
  ring: ObservabilityBuffer,
): Promise<RestoredRing> {
  let walked = walkedFor(USUAL_SPANS);
  const unfit: SequenceRange[] = [];
  const { spans: stored } = log.stats();
  await log.read(0, (request, ranges) => {
    if (request.spanCount > walked.limits.spansPerRequest) walked = walkedFor(request.spanCount);
    for (const range of ranges) {
      if (!restore(ring, walked, { request, range })) unfit.push(range);
    }
    return true;
  });
  ring.skipTo(log.stats().sequence.next);
  const { spans, bytes } = ring.stats();
  const restored = { spans: spans.buffered, bytes: bytes.buffered };
  return { restored, unfitSpans: stored.buffered - restored.spans, unfit };
}

function walkedFor(spansPerRequest: number): WalkedRequest {
  return createWalkedRequest({ spansPerRequest, nestingDepth: NESTING_DEPTH });
}

/** Restores some spans of a request; returns false if they do not fit. */
function restore(
  ring: ObservabilityBuffer,
  walked: WalkedRequest,
  { request, range }: { readonly request: StoredRequest; readonly range: SequenceRange },
): boolean {
  const { firstSequence, spanCount, unixMs } = request;
  const part = { first: range.first - firstSequence, end: range.end - firstSequence };
  const isWhole = part.end - part.first === spanCount;
  walkRequest(walked, isWhole ? request.bytes : cutRequest(request.bytes, part));
  return ring.restore(walked, { sequence: range.first, unixMs }).outcome === "accepted";
}
