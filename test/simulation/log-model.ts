import { assert } from "../../src/domain/assert.ts";

/**
 * What may become of a span, as whoever sent it sees it.
 *
 *   sent ──▶ stored ⇄ leased ──▶ gone        absent after a crash: must not be / may be / may be
 *     └────▶ unsure                           (sent and unsure may be, too)
 */
type Fate = "sent" | "unsure" | "stored" | "leased" | "gone";

interface ModelSpan {
  readonly number: number;
  /** The request it was sent in. */
  readonly request: number;
  fate: Fate;
  sequence: number;
  /** Even a power cut must not take it. */
  isSafe: boolean;
  /** Acknowledged since the last recovery. */
  isNew: boolean;
  /** Its segment was evicted while it was leased. */
  isOrphan: boolean;
}

/** A span as the log has shown it. */
export interface ShownSpan {
  readonly number: number;
  readonly sequence: number;
}

/**
 * Everything that was sent and that the log may still show, and whether it must. It knows nothing
 * of segments, records or syncs.
 */
export class LogModel {
  // Moved by what is sent and by what the log does.
  private readonly spans = new Map<number, ModelSpan>();
  private nextNumber = 1;
  private nextRequest = 1;

  send(spanCount: number): { first: number; request: number } {
    const first = this.nextNumber;
    const request = this.nextRequest;
    this.nextNumber += spanCount;
    this.nextRequest += 1;
    for (let number = first; number < this.nextNumber; number += 1) {
      const span = { number, request, sequence: 0, isSafe: false, isNew: false, isOrphan: false };
      this.spans.set(number, { ...span, fate: "sent" });
    }
    return { first, request };
  }

  acknowledge(first: number, spanCount: number, sent: { sequence: number; isSafe: boolean }): void {
    for (let index = 0; index < spanCount; index += 1) {
      const span = this.known(first + index, "sent");
      const sequence = sent.sequence + index;
      Object.assign(span, { fate: "stored", sequence, isSafe: sent.isSafe, isNew: true });
    }
  }

  /** Not acknowledged: after a crash it may be there, unless it was never written. */
  turnAway(first: number, spanCount: number, mayBeThere: boolean): void {
    for (let number = first; number < first + spanCount; number += 1) {
      if (mayBeThere) this.known(number, "sent").fate = "unsure";
      else this.spans.delete(number);
    }
  }

  /** What is stored now, in the order of the sequences. */
  stored(): readonly ModelSpan[] {
    const stored = [...this.spans.values()].filter(({ fate }) => fate === "stored");
    return stored.toSorted((left, right) => left.sequence - right.sequence);
  }

  /** Stored and leased spans that a power cut may take. */
  unsafe(): readonly ModelSpan[] {
    return [...this.spans.values()].filter(
      ({ fate, isSafe }) => (fate === "stored" || fate === "leased") && !isSafe,
    );
  }

  /** Checks that these are the oldest, and that nobody else has them. */
  lease(shown: readonly ShownSpan[]): void {
    const oldest = this.stored();
    for (const [index, { number, sequence }] of shown.entries()) {
      const expected = oldest[index];
      assert(
        expected?.number === number && expected.sequence === sequence,
        `span ${number} at ${sequence} is leased, not ${expected?.number} at ${expected?.sequence}`,
      );
      expected.fate = "leased";
    }
  }

  /** Returns how many of those that are returned have lost their segment. */
  settle(numbers: readonly number[], isReturned: boolean): number {
    const leased = numbers.map((number) => this.known(number, "leased"));
    for (const span of leased) span.fate = isReturned && !span.isOrphan ? "stored" : "gone";
    return isReturned ? leased.filter(({ isOrphan }) => isOrphan).length : 0;
  }

  /** Returns how many stored spans that takes; of those that are leased only after a crash. */
  evict({ first, end }: { first: number; end: number }, isAfterCrash = false): number {
    const inside = [...this.spans.values()].filter(
      ({ fate, sequence }) =>
        (fate === "stored" || fate === "leased") && sequence >= first && sequence < end,
    );
    for (const span of inside) {
      if (span.fate === "leased" && !isAfterCrash) span.isOrphan = true;
      else span.fate = "gone";
    }
    return inside.filter(({ isOrphan }) => !isOrphan).length;
  }

  clear(): number {
    const stored = this.stored();
    for (const span of stored) span.fate = "gone";
    return stored.length;
  }

  /** What a stop on good terms has settled stays settled. */
  closed(): void {
    for (const span of this.spans.values()) {
      if (span.fate === "leased" && !span.isOrphan) span.fate = "stored";
      else if (span.fate !== "stored") this.spans.delete(span.number);
      span.isSafe ||= span.isNew;
    }
  }

  /**
   * After a crash: everything that is shown was sent, and is there once and in order; everything
   * that must be there is shown. Returns the requests of which something is missing.
   *
   * The recovery has synced what it shows. But where a sync has failed, the kernel may have dropped
   * pages that it still shows; until a power cut only what was safe before is safe then.
   */
  recover(
    shown: readonly ShownSpan[],
    cut: { isPowerCut: boolean; hasPhantoms: boolean },
  ): Map<number, number[]> {
    assertInOrder(shown);
    const present = new Map(shown.map(({ number, sequence }) => [number, sequence]));
    const missing = new Map<number, number[]>();
    this.assertWholeRequests(present);
    for (const span of this.spans.values()) {
      const sequence = present.get(span.number);
      if (sequence === undefined && isDue(span, cut)) {
        missing.set(span.request, [...(missing.get(span.request) ?? []), span.number]);
      }
      if (sequence !== undefined) restore(span, sequence, span.isSafe || !cut.hasPhantoms);
      else if (span.fate !== "gone") span.fate = "unsure";
    }
    for (const number of present.keys()) this.known(number, "stored");
    return missing;
  }

  /** What is not there now never comes back: the log has gone on behind it. */
  forgetAbsent(): void {
    for (const { number, fate } of this.spans.values()) {
      if (fate !== "stored") this.spans.delete(number);
    }
  }

  /** What was never acknowledged is there as a whole or not at all. */
  private assertWholeRequests(present: ReadonlyMap<number, number>): void {
    const unacknowledged = [...this.spans.values()].filter(({ sequence }) => sequence === 0);
    for (const [request, spans] of Map.groupBy(unacknowledged, (span) => span.request)) {
      const count = spans.filter(({ number }) => present.has(number)).length;
      assert(count === 0 || count === spans.length, `request ${request} is there in part`);
    }
  }

  private known(number: number, fate: Fate): ModelSpan {
    const span = this.spans.get(number);
    assert(span !== undefined, `span ${number} is shown, and cannot be there`);
    assert(span.fate === fate, `span ${number} is ${span.fate}, not ${fate}`);
    return span;
  }
}

function isDue(span: ModelSpan, { isPowerCut }: { readonly isPowerCut: boolean }): boolean {
  const isLeased = span.fate === "leased" && !span.isOrphan;
  return (span.fate === "stored" || isLeased) && (span.isSafe || !isPowerCut);
}

function restore(span: ModelSpan, sequence: number, isSafe: boolean): void {
  const isKnown = span.fate === "stored" || span.fate === "leased";
  assert(!isKnown || span.sequence === sequence, `span ${span.number} has another sequence`);
  Object.assign(span, { fate: "stored", sequence, isSafe, isNew: false, isOrphan: false });
}

function assertInOrder(shown: readonly ShownSpan[]): void {
  for (const [index, { number, sequence }] of shown.entries()) {
    const before = shown[index - 1];
    const isInOrder =
      before === undefined || (before.number < number && before.sequence < sequence);
    assert(isInOrder, `span ${number} at ${sequence} comes after ${before?.number}`);
  }
}
