import type { SpanReader } from "../../src/application/span-reader.ts";
import type { BufferStats, Ledger } from "../../src/domain/ledger.ts";
import { requestOf } from "./request-bytes.ts";

/** A buffer that is an array: each span a request of its own, numbered from 1. */
export class FakeSpanReader implements SpanReader {
  private readonly spans: Uint8Array<ArrayBuffer>[];
  private takenCount = 0;

  constructor(spanCount: number) {
    this.spans = Array.from({ length: spanCount }, (_, index) => requestOf(1, index + 1));
  }

  peek(spanCount: number): Uint8Array<ArrayBuffer> {
    return concatenate(this.spans.slice(0, spanCount));
  }

  take(spanCount: number): Uint8Array<ArrayBuffer> {
    const taken = this.spans.splice(0, spanCount);
    this.takenCount += taken.length;
    return concatenate(taken);
  }

  get size(): number {
    return this.spans.length;
  }

  stats(): BufferStats {
    const spans = ledger({ buffered: this.spans.length, taken: this.takenCount });
    const capacity = { spans: 100, bytes: 4096 };
    const first = this.takenCount + 1;
    return { spans, bytes: spans, capacity, sequence: { first, next: first + this.size } };
  }
}

/** The parts add up to one new array, because messages concatenate. */
function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

function ledger({ buffered, taken }: { buffered: number; taken: number }): Ledger {
  const accepted = buffered + taken;
  return { received: accepted, rejected: 0, accepted, buffered, taken, evicted: 0 };
}
