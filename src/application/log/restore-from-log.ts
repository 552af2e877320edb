import { cutRequest } from "../../domain/wire/assemble.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import type { FoundSpans } from "./found-spans.ts";
import type { SequenceRange } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";
import type { SpilledSpans } from "./spilled-spans.ts";
import type { StoredRequest } from "./stored-request.ts";
import { StoredWalk } from "./stored-walk.ts";

/**
 * Fills a new ring with all stored spans, with their sequences and times of arrival. If the ring is
 * too small for all of them, the newest stay in it, and the others are counted: most of them have
 * been, when the log was opened.
 */
export async function restoreFromLog(
  log: SpanLog,
  ring: ObservabilityBuffer,
  { found, spilled }: { readonly found: FoundSpans; readonly spilled: SpilledSpans },
): Promise<void> {
  const walk = new StoredWalk();
  const from = found.restore(log, spilled);
  ring.skipTo(Math.max(from, ring.range().next));
  await log.read(from, (request, ranges) => {
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
