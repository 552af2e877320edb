import type { SpanPlace, FieldsOf } from "../../domain/query/span-matcher.ts";
import { FIRST_SEQUENCE, GONE, NEXT_SEQUENCE, type RingMemory } from "./ring-memory.ts";
import { blockOf, slotOf } from "./ring-removal.ts";
import type { Search, SequenceRange, Visit } from "../../ports/trace-buffer.ts";
import { createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";

export function bufferedRange({ control }: RingMemory): SequenceRange {
  return { first: control[FIRST_SEQUENCE]!, next: control[NEXT_SEQUENCE]! };
}

/** When the oldest span that is there was received, leased or not; of an empty ring, nothing. */
export function oldestUnixMs(ring: RingMemory): number | undefined {
  const { first, next } = bufferedRange(ring);
  return first === next ? undefined : ring.blockUnixMs[blockOf(ring, first)]!;
}

/**
 * Looks at every span of a range that is still there. Needs the lock for as long, so that callers
 * look through a large ring in pieces.
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
    // A million spans have a million tails, in one column: whose trace it is not, is seen there.
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

function moveTo(ring: RingMemory, slot: number, place: SpanPlace): void {
  const context = ring.slotContext[slot]!;
  place.spanOffset = ring.slotOffset[slot]!;
  place.spanLength = ring.slotLength[slot]!;
  place.resourceOffset = ring.resourceOffset[context]!;
  place.resourceLength = ring.resourceLength[context]!;
  place.traceTail = ring.slotTraceTail[slot]!;
}

const UNKNOWN = -1;

/** The fields of one span after the other, read once, however many ask for them. */
export class SharedFields {
  private readonly fields = createSpanFields();
  private spanOffset = UNKNOWN;

  /** Of the span at a place; right until it is asked for those of another. */
  readonly of: FieldsOf = (place) => {
    if (place.spanOffset !== this.spanOffset) this.read(place);
    return this.fields;
  };

  /** To be called when the bytes may have changed since the last call. */
  reset(): void {
    this.spanOffset = UNKNOWN;
  }

  private read({ bytes, spanOffset, spanLength }: SpanPlace): void {
    readSpanFields(this.fields, bytes, spanOffset, spanLength);
    this.spanOffset = spanOffset;
  }
}
