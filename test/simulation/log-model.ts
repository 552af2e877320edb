import { assert } from "../../src/domain/assert.ts";

/**
 * The states of a span, as its sender sees them.
 *
 *   sent ──▶ stored ⇄ leased ──▶ gone        absent after a crash: must not be / may be / may be
 *     └────▶ unsure                           (sent and unsure may be, too)
 */
type Fate = "sent" | "unsure" | "stored" | "leased" | "gone";

interface ModelSpan {
  readonly number: number;
  /** The request in which it was sent. */
  readonly request: number;
  fate: Fate;
  sequence: number;
  /** Whether it must survive even a power cut. */
  isSafe: boolean;
  /** Whether it was acknowledged since the last recovery. */
  isNew: boolean;
  /** Whether its segment was evicted, or it lost its slot in memory, while it was leased. */
  isOrphan: boolean;
  /** Whether it was acknowledged without the disk; it is lost whenever the process ends. */
  isMemoryOnly: boolean;
}

/** A span as the log has returned it. */
export interface ShownSpan {
  readonly number: number;
  readonly sequence: number;
}

/**
 * Models all sent spans that the log may still return, and whether it must. The model knows nothing
 * of segments, records or syncs.
 */
export class LogModel {
  // Moved by sends and by the actions of the log.
  private readonly spans = new Map<number, ModelSpan>();
  private nextNumber = 1;
  private nextRequest = 1;

  send(spanCount: number): { first: number; request: number } {
    const first = this.nextNumber;
    const request = this.nextRequest;
    this.nextNumber += spanCount;
    this.nextRequest += 1;
    for (let number = first; number < this.nextNumber; number += 1) {
      const flags = { isSafe: false, isNew: false, isOrphan: false, isMemoryOnly: false };
      this.spans.set(number, { number, request, sequence: 0, fate: "sent", ...flags });
    }
    return { first, request };
  }

  acknowledge(
    first: number,
    spanCount: number,
    sent: { sequence: number; isSafe: boolean; isMemoryOnly: boolean },
  ): void {
    const { isSafe, isMemoryOnly } = sent;
    for (let index = 0; index < spanCount; index += 1) {
      const span = this.known(first + index, "sent");
      const sequence = sent.sequence + index;
      Object.assign(span, { fate: "stored", sequence, isSafe, isMemoryOnly, isNew: true });
    }
  }

  /** Evicts the spans in memory only that have lost their slots, because memory begins later. */
  leaveMemory(before: number): void {
    for (const span of this.memoryOnly().filter(({ sequence }) => sequence < before)) {
      if (span.fate === "leased") span.isOrphan = true;
      else span.fate = "gone";
    }
  }

  /** Returns the stored and leased spans that are in memory only. */
  memoryOnly(): readonly ModelSpan[] {
    return [...this.spans.values()].filter(
      ({ fate, isMemoryOnly }) => (fate === "stored" || fate === "leased") && isMemoryOnly,
    );
  }

  /**
   * Records a request that was not acknowledged. It may appear after a crash, unless it was never
   * written.
   */
  turnAway(first: number, spanCount: number, mayBeThere: boolean): void {
    for (let number = first; number < first + spanCount; number += 1) {
      if (mayBeThere) this.known(number, "sent").fate = "unsure";
      else this.spans.delete(number);
    }
  }

  /** Returns the stored spans in the order of their sequences. */
  stored(): readonly ModelSpan[] {
    const stored = [...this.spans.values()].filter(({ fate }) => fate === "stored");
    return stored.toSorted((left, right) => left.sequence - right.sequence);
  }

  /** Returns the stored and leased spans that a power cut may lose. */
  unsafe(): readonly ModelSpan[] {
    return [...this.spans.values()].filter(
      ({ fate, isSafe }) => (fate === "stored" || fate === "leased") && !isSafe,
    );
  }

  /** Checks that these are the oldest free spans. */
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

  /** Settles spans. Returns how many of the returned spans have lost their segment. */
  settle(numbers: readonly number[], isReturned: boolean): number {
    const leased = numbers.map((number) => this.known(number, "leased"));
    for (const span of leased) span.fate = isReturned && !span.isOrphan ? "stored" : "gone";
    return isReturned ? leased.filter(({ isOrphan }) => isOrphan).length : 0;
  }

  /**
   * Evicts spans. Returns the number of stored spans evicted; leased ones count only after a crash.
   */
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

  /** Records a clean stop, after which settled spans stay settled. */
  closed(): void {
    for (const span of this.spans.values()) {
      if (span.isMemoryOnly) span.fate = "unsure";
      else if (span.fate === "leased" && !span.isOrphan) span.fate = "stored";
      else if (span.fate !== "stored") this.spans.delete(span.number);
      span.isSafe ||= span.isNew && !span.isMemoryOnly;
    }
  }

  /**
   * Checks the log after a crash: every span it returns was sent and appears once and in order, and
   * every span that must be there is returned. Returns the requests with missing spans.
   *
   * The recovery has synced what it returns. But if a sync has failed, the kernel may have dropped
   * pages that it still shows; until a power cut, only spans that were safe before are then safe.
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

  /**
   * Forgets the absent spans, which can never come back because the log has continued after them.
   */
  forgetAbsent(): void {
    for (const { number, fate } of this.spans.values()) {
      if (fate !== "stored") this.spans.delete(number);
    }
  }

  /** Checks that a request that was never acknowledged is complete or absent. */
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
  if (span.isMemoryOnly) return false;
  const isLeased = span.fate === "leased" && !span.isOrphan;
  return (span.fate === "stored" || isLeased) && (span.isSafe || !isPowerCut);
}

function restore(span: ModelSpan, sequence: number, isSafe: boolean): void {
  const isKnown = span.fate === "stored" || span.fate === "leased";
  assert(!isKnown || span.sequence === sequence, `span ${span.number} has another sequence`);
  const flags = { isNew: false, isOrphan: false, isMemoryOnly: false };
  Object.assign(span, { fate: "stored", sequence, isSafe, ...flags });
}

function assertInOrder(shown: readonly ShownSpan[]): void {
  for (const [index, { number, sequence }] of shown.entries()) {
    const before = shown[index - 1];
    const isInOrder =
      before === undefined || (before.number < number && before.sequence < sequence);
    assert(isInOrder, `span ${number} at ${sequence} comes after ${before?.number}`);
  }
}
