/* oxlint-disable unicorn/require-post-message-target-origin -- a Worker has no origin */
import { SharedLock } from "../../../src/application/ring/shared-lock.ts";

/** A thread that uses a lock in one of these ways, and then posts `done`. */
export type LockTask =
  /** Once this many threads are ready, adds 1 repeatedly, in steps that others could interrupt. */
  | { readonly does: "count"; readonly turns: number; readonly threads: number }
  /** Waits for the lock while another thread holds it, without a time limit. */
  | { readonly does: "wait" }
  /** Frees the lock while another thread waits for it, without waking that thread. */
  | { readonly does: "free_in_silence" };

export interface LockJob {
  readonly shared: SharedArrayBuffer;
  readonly task: LockTask;
}

/**
 * The offsets of the lock, of the counter after it, and of the number of threads that are ready.
 */
export const LOCK_AT = 0;
export const COUNTER_AT = 4;
const THREADS_AT = 8;
export const LOCK_BYTES = 12;

const FREE = 0;

const CONTENDED = 2;

declare const self: Worker;

if (!Bun.isMainThread) {
  self.addEventListener("message", ({ data }: MessageEvent<LockJob>) => {
    self.postMessage("begun");
    run(data);
    self.postMessage("done");
  });
}

function run({ shared, task }: LockJob): void {
  const word = new Int32Array(shared, LOCK_AT, 1);
  const counter = new Int32Array(shared, COUNTER_AT, 1);
  if (task.does === "count") {
    const lock = new SharedLock(word);
    waitForThreads(new Int32Array(shared, THREADS_AT, 1), task.threads);
    for (let turn = 0; turn < task.turns; turn += 1) {
      using _ = lock.hold();
      counter[0] = addOne(counter[0]!);
    }
  } else if (task.does === "wait") {
    while (Atomics.load(word, 0) === FREE);
    using _ = new SharedLock(word, Number.POSITIVE_INFINITY).hold();
  } else {
    while (Atomics.load(word, 0) !== CONTENDED);
    Atomics.store(word, 0, FREE);
  }
}

function waitForThreads(there: Int32Array, threads: number): void {
  Atomics.add(there, 0, 1);
  Atomics.notify(there, 0);
  for (let count = 0; count < threads; count = Atomics.load(there, 0)) {
    Atomics.wait(there, 0, count);
  }
}

/** Adds one slowly, so that without a lock, two threads would read the same number. */
function addOne(count: number): number {
  let next = count;
  for (let step = 0; step < 50; step += 1) next += 0.02;
  return Math.round(next);
}
