import { afterEach, expect, test } from "bun:test";
import { LockLostError, SharedLock } from "../../../src/application/ring/shared-lock.ts";
import {
  COUNTER_AT,
  LOCK_AT,
  LOCK_BYTES,
  type LockTask,
} from "../../support/processes/lock-worker.ts";
import { startWorkerThread, type WorkerThread } from "../../support/processes/worker-thread.ts";

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

const threads: WorkerThread[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function sharedWord() {
  const shared = new SharedArrayBuffer(LOCK_BYTES);
  const word = new Int32Array(shared, LOCK_AT, 1);
  return { shared, word, counter: new Int32Array(shared, COUNTER_AT, 1) };
}

function startThread(shared: SharedArrayBuffer, task: LockTask): WorkerThread {
  const file = new URL("../../support/processes/lock-worker.ts", import.meta.url);
  const thread = startWorkerThread(file, { shared, task });
  threads.push(thread);
  return thread;
}

/** Yields to the event loop until another thread waits for the lock. */
async function untilContended(word: Int32Array): Promise<void> {
  while (Atomics.load(word, 0) !== CONTENDED) await new Promise(setImmediate);
}

/** Spins until another thread waits for the lock, or gives up. */
function spinUntilContended(word: Int32Array): void {
  for (let spins = 0; spins < 1e9 && Atomics.load(word, 0) !== CONTENDED; spins += 1);
}

/** Runs an action under the lock. */
function underLock<Result>(word: Int32Array, action: () => Result, maxWaitMs?: number): Result {
  using _ = new SharedLock(word, maxWaitMs).hold();
  return action();
}

test("an action under the lock returns its result and frees the lock", () => {
  const { word } = sharedWord();

  const answer = underLock(word, () => Atomics.load(word, 0));

  expect(answer).toBe(HELD);
  expect(word[0]).toBe(FREE);
});

test("an action that throws frees the lock", () => {
  const { word } = sharedWord();
  const failing = () =>
    underLock(word, () => {
      throw new Error("failed under the lock");
    });

  expect(failing).toThrow("failed under the lock");
  expect(word[0]).toBe(FREE);
});

test("waiting for a lock that is never released fails, and the action does not run", () => {
  const { word } = sharedWord();
  let hasRun = false;
  Atomics.store(word, 0, HELD);

  const waiting = () => underLock(word, () => (hasRun = true), 20);

  expect(waiting).toThrow(LockLostError);
  expect(waiting).toThrow("the ring's lock was held for 20 ms");
  expect(hasRun).toBe(false);
  expect(word[0]).toBe(CONTENDED);
});

test("four threads under one lock lose no increment", async () => {
  const { shared, word, counter } = sharedWord();

  const counting = Array.from({ length: 4 }, () =>
    startThread(shared, { does: "count", turns: 25_000, threads: 4 }).posted("done"),
  );
  await Promise.all(counting);

  expect(counter[0]).toBe(100_000);
  expect(word[0]).toBe(FREE);
});

// Without a wake-up, the thread would never end.
test("a waiting thread is woken when the lock is freed", async () => {
  const { shared, word } = sharedWord();
  const thread = startThread(shared, { does: "wait" });
  const done = thread.posted("done");
  await thread.posted("begun");

  underLock(word, () => spinUntilContended(word));

  await done;
  expect(word[0]).toBe(FREE);
});

// A thread that dies after its wake-up, before it takes the lock, leaves it free and others asleep.
test("a waiting thread acquires a free lock even without a wake-up", async () => {
  const { shared, word } = sharedWord();
  Atomics.store(word, 0, HELD);
  await startThread(shared, { does: "free_in_silence" }).posted("begun");

  expect(underLock(word, () => "taken", 1_000)).toBe("taken");
});

test("other threads acquire the lock after a waiting thread has died", async () => {
  const { shared, word, counter } = sharedWord();
  Atomics.store(word, 0, HELD);
  const thread = startThread(shared, { does: "wait" });
  await untilContended(word);

  await thread.terminate();
  Atomics.store(word, 0, FREE);
  Atomics.notify(word, 0, 1);

  await startThread(shared, { does: "count", turns: 100, threads: 1 }).posted("done");
  expect(underLock(word, () => counter[0])).toBe(100);
});
