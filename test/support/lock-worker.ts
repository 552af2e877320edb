import { withLock } from "../../src/application/shared-lock.ts";

/** A thread that uses a lock in one of these ways, and then says `done`. */
export type LockTask =
  /** Adds 1 as often as it is told, in two steps that others could come between. */
  | { readonly does: "count"; readonly turns: number }
  /** Waits for the lock, and takes it. */
  | { readonly does: "wait" }
  /** Frees the lock when somebody waits for it, but wakes nobody. */
  | { readonly does: "free_in_silence" };

export interface LockJob {
  readonly shared: SharedArrayBuffer;
  readonly task: LockTask;
}

/** The lock's word, and behind it the counter. */
export const LOCK_AT = 0;
export const COUNTER_AT = 4;

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
    for (let turn = 0; turn < task.turns; turn += 1) {
      withLock(word, () => (counter[0] = addOne(counter[0]!)));
    }
  } else if (task.does === "wait") {
    withLock(word, () => {});
  } else {
    while (Atomics.load(word, 0) !== CONTENDED);
    Atomics.store(word, 0, 0);
  }
}

/** Slowly, so that without a lock two threads would read the same number. */
function addOne(count: number): number {
  let next = count;
  for (let step = 0; step < 50; step += 1) next += 0.02;
  return Math.round(next);
}
