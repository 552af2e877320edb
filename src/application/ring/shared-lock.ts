/**
 * One lock for all threads that share a ring, in one word of shared memory.
 *
 *   FREE --acquire--> HELD --another thread must wait--> CONTENDED --release--> FREE, wake one
 *
 * An uncontended turn is two atomic operations and no system call. Source of the scheme: U.
 * Drepper, "Futexes Are Tricky", the second mutex.
 */
const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** The lock is held for a copy. A holder that takes this long has died with it in hand. */
const PATIENCE_MS = 5_000;

/** The lock was not to be had: nothing was done under it. */
export class LockLostError extends Error {
  override name = "LockLostError";
}

/** Runs `action` while no other thread runs one under the same lock. */
export function withLock<Result>(
  word: Int32Array,
  action: () => Result,
  patienceMs = PATIENCE_MS,
): Result {
  acquire(word, patienceMs);
  try {
    return action();
  } finally {
    release(word);
  }
}

function acquire(word: Int32Array, patienceMs: number): void {
  if (Atomics.compareExchange(word, 0, FREE, HELD) === FREE) return;
  // Taken as CONTENDED, because others may wait too: at worst, one needless wake-up at the end.
  for (let isPatient = true; Atomics.exchange(word, 0, CONTENDED) !== FREE;) {
    // Tried once more after a wait in vain: a thread may have died between its waking and its turn.
    if (!isPatient) throw new LockLostError(`the ring's lock was held for ${patienceMs} ms`);
    isPatient = Atomics.wait(word, 0, CONTENDED, patienceMs) !== "timed-out";
  }
}

function release(word: Int32Array): void {
  if (Atomics.exchange(word, 0, FREE) === CONTENDED) Atomics.notify(word, 0, 1);
}
