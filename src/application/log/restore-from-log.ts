import { cutRequest } from "../../domain/wire/assemble.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import type { SequenceRange } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";
import type { StoredRequest } from "./read-stored.ts";
import { StoredWalk } from "./stored-walk.ts";

/**
 * Fills a new ring with all stored spans, with their sequences and times of arrival. If the ring is
 * too small for all of them, the newest stay in it, and the others are counted.
 */
export async function restoreFromLog(log: SpanLog, ring: ObservabilityBuffer): Promise<void> {
  const walk = new StoredWalk();
  await log.read(0, (request, ranges) => {
    for (const range of ranges) restore(ring, walk, { request, range });
    return true;
  });
  ring.skipTo(log.stats().sequence.next);
}

function restore(
  ring: ObservabilityBuffer,
  walk: StoredWalk,
  { request, range }: { readonly request: StoredRequest; readonly range: SequenceRange },
): void {
  const { firstSequence, spanCount, unixMs } = request;
  const part = { first: range.first - firstSequence, end: range.end - firstSequence };
  const isWhole = part.end - part.first === spanCount;
  const bytes = isWhole ? request.bytes : cutRequest(request.bytes, part);
  ring.restore(walk.of(bytes, part.end - part.first), { sequence: range.first, unixMs });
}
