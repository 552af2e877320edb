/**
 * The lock of all threads that share a ring: one word of shared memory.
 *
 *   FREE --acquire--> HELD --another thread must wait--> CONTENDED --release--> FREE, wake one
 *
 * An uncontended turn takes two atomic operations and no system call. Source: U. Drepper, "Futexes
 * Are Tricky", the second mutex.
 */
const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** The lock is only held for a copy. A holder that takes this long must have died. */
const MAX_WAIT_MS = 5_000;

/** Thrown if the lock was not acquired; the action did not run. */
export class LockLostError extends Error {
  override name = "LockLostError";
}

/** Runs `action` while no other thread runs one under the same lock. */
export function withLock<Result>(
  word: Int32Array,
  action: () => Result,
  maxWaitMs = MAX_WAIT_MS,
): Result {
  acquire(word, maxWaitMs);
  try {
    return action();
  } finally {
    release(word);
  }
}

function acquire(word: Int32Array, maxWaitMs: number): void {
  if (Atomics.compareExchange(word, 0, FREE, HELD) === FREE) return;
  // Acquired as CONTENDED, because others may wait too: at worst, one wake-up is needless.
  for (let mayWait = true; Atomics.exchange(word, 0, CONTENDED) !== FREE;) {
    // Try once more after a wait that timed out: a woken thread may have died before its turn.
    if (!mayWait) throw new LockLostError(`the ring's lock was held for ${maxWaitMs} ms`);
    mayWait = Atomics.wait(word, 0, CONTENDED, maxWaitMs) !== "timed-out";
  }
}

function release(word: Int32Array): void {
  if (Atomics.exchange(word, 0, FREE) === CONTENDED) Atomics.notify(word, 0, 1);
}
