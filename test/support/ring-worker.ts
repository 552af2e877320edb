/* oxlint-disable unicorn/require-post-message-target-origin -- a Worker has no origin */
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../src/application/observability-buffer.ts";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import { checkedRequest, SpanChecker } from "./checked-spans.ts";

/** A thread that puts spans into a shared ring, takes some out, or both. */
export interface RingJob {
  readonly ring: SharedArrayBuffer;
  readonly board: SharedArrayBuffer;
  /** Its number; its spans bear it. Threads that put spans in are numbered from 0. */
  readonly thread: number;
  /** Spans that each thread which puts in any puts in, in requests of at most `MOST_SPANS`. */
  readonly spansEach: number;
  readonly appends: boolean;
  /** Whether it takes as well, until all threads have put in theirs and the ring is empty. */
  readonly takes: boolean;
  readonly seed: number;
}

export const MOST_SPANS = 400;

/** What all threads see: how many spans are still to come, and how often each was taken. */
export class TakingBoard {
  readonly shared: SharedArrayBuffer;
  readonly spansToCome: Int32Array;
  readonly takings: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.spansToCome = new Int32Array(shared, 0, 1);
    this.takings = new Uint8Array(shared, 4);
  }

  static create(spanCount: number): TakingBoard {
    const board = new TakingBoard(new SharedArrayBuffer(4 + spanCount));
    board.spansToCome[0] = spanCount;
    return board;
  }
}

declare const self: Worker;

if (!Bun.isMainThread) {
  self.addEventListener("message", ({ data }: MessageEvent<RingJob>) => {
    run(data);
    self.postMessage("done");
  });
}

function run(job: RingJob): void {
  const ring = ObservabilityBuffer.open(job.ring, { codec: new ProtobufSpanCodec() });
  const board = new TakingBoard(job.board);
  const random = randomFrom(job.seed);
  const append = appenderOf(ring, job);
  const take = takerOf(ring, board, job.spansEach);
  for (let left = job.appends ? job.spansEach : 0; left > 0;) {
    const count = Math.min(left, 1 + random(MOST_SPANS));
    append(job.spansEach - left, count);
    left -= count;
    if (job.takes) take(random(MOST_SPANS + 50));
    Atomics.sub(board.spansToCome, 0, count);
  }
  while (job.takes && (Atomics.load(board.spansToCome, 0) > 0 || ring.size() > 0)) {
    take(1 + random(MOST_SPANS));
  }
}

function appenderOf(ring: ObservabilityBuffer, { thread }: RingJob) {
  const walked = createWalkedRequest({ spansPerRequest: MOST_SPANS, nestingDepth: 10 });
  return (first: number, count: number): void => {
    walkRequest(walked, checkedRequest({ appender: thread, first, count }));
    const { outcome } = ring.append(walked);
    if (outcome !== "accepted") throw new Error(`spans of ${thread} were ${outcome}`);
  };
}

/** Checks all that it takes: each span whole, and behind those that its appender put in before. */
function takerOf(ring: ObservabilityBuffer, board: TakingBoard, spansEach: number) {
  const checker = new SpanChecker(2 * MOST_SPANS);
  const lastOf = new Map<number, number>();
  return (count: number): void => {
    checker.check(ring.take(count), (appender, number) => {
      if (number <= (lastOf.get(appender) ?? -1)) throw new Error("spans came out of order");
      lastOf.set(appender, number);
      Atomics.add(board.takings, appender * spansEach + number, 1);
    });
  };
}

/** Whole numbers below a bound, the same ones for the same seed. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
