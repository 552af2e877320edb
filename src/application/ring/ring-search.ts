import type { SpanLocation, FieldsOf } from "../../domain/query/span-matcher.ts";
import { FIRST_SEQUENCE, GONE, NEXT_SEQUENCE, type RingMemory } from "./ring-memory.ts";
import { blockOf, slotOf } from "./ring-removal.ts";
import type { Search, SequenceRange, Visit } from "../../ports/trace-buffer.ts";
import { createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";

export function bufferedRange({ control }: RingMemory): SequenceRange {
  return { first: control[FIRST_SEQUENCE]!, next: control[NEXT_SEQUENCE]! };
}

/** Returns when the oldest span was received, leased or free; undefined for an empty ring. */
export function oldestUnixMs(ring: RingMemory): number | undefined {
  const { first, next } = bufferedRange(ring);
  return first === next ? undefined : ring.blockUnixMs[blockOf(ring, first)]!;
}

/**
 * Calls `visit` with each matching span of a range. Needs the lock throughout, so callers search a
 * large ring in pieces.
 */
export function visitSpans(ring: RingMemory, search: Search, visit: Visit): void {
  const { matcher, newestFirst } = search;
  const buffered = bufferedRange(ring);
  const first = Math.max(search.range.first, buffered.first);
  const next = Math.min(search.range.next, buffered.next);
  const place = {
    bytes: ring.arena,
    spanOffset: 0,
    spanLength: 0,
    resourceOffset: 0,
    resourceLength: 0,
    traceTail: 0,
  };
  const { traceTail } = matcher;
  const { slotTraceTail, slotState, capacitySpans } = ring;
  const step = newestFirst ? -1 : 1;
  let sequence = newestFirst ? next - 1 : first;
  let slot = slotOf(ring, Math.max(0, sequence));
  matcher.reset();
  for (let left = next - first; left > 0; left -= 1) {
    // One column holds the tails of all trace ids, so spans of other traces are skipped cheaply.
    const isWanted = traceTail === undefined || slotTraceTail[slot] === traceTail;
    if (isWanted && slotState[slot] !== GONE) {
      moveTo(ring, slot, place);
      if (matcher.matches(place) && !visit(sequence, place)) return;
    }
    sequence += step;
    slot += step;
    if (slot === capacitySpans) slot = 0;
    else if (slot < 0) slot = capacitySpans - 1;
  }
}

function moveTo(ring: RingMemory, slot: number, place: SpanLocation): void {
  const context = ring.slotContext[slot]!;
  place.spanOffset = ring.slotOffset[slot]!;
  place.spanLength = ring.slotLength[slot]!;
  place.resourceOffset = ring.resourceOffset[context]!;
  place.resourceLength = ring.resourceLength[context]!;
  place.traceTail = ring.slotTraceTail[slot]!;
}

const UNKNOWN = -1;

/** Reads the fields of a span once, for all filters that use them. */
export class SharedFields {
  private readonly fields = createSpanFields();
  private spanOffset = UNKNOWN;

  /** Returns the fields of the span at a place, valid until the next call. */
  readonly of: FieldsOf = (place) => {
    if (place.spanOffset !== this.spanOffset) this.read(place);
    return this.fields;
  };

  /** Must be called when the bytes may have changed since the last call. */
  reset(): void {
    this.spanOffset = UNKNOWN;
  }

  private read({ bytes, spanOffset, spanLength }: SpanLocation): void {
    readSpanFields(this.fields, bytes, spanOffset, spanLength);
    this.spanOffset = spanOffset;
  }
}
