/**
 * The lock of all threads that share a ring, in one word of shared memory.
 *
 *   FREE --acquire--> HELD --another thread must wait--> CONTENDED --release--> FREE, wake one
 *
 * An uncontended turn takes two atomic operations and no system call. Source of the scheme: U.
 * Drepper, "Futexes Are Tricky", the second mutex.
 */
const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** The lock is held for a copy. A holder that takes this long has died while holding it. */
const MAX_WAIT_MS = 5_000;

/** The lock was not acquired; nothing was done under it. */
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
    // One more try after a wait in vain: a woken thread may have died before its turn.
    if (!mayWait) throw new LockLostError(`the ring's lock was held for ${maxWaitMs} ms`);
    mayWait = Atomics.wait(word, 0, CONTENDED, maxWaitMs) !== "timed-out";
  }
}

function release(word: Int32Array): void {
  if (Atomics.exchange(word, 0, FREE) === CONTENDED) Atomics.notify(word, 0, 1);
}
