import { expect, test } from "bun:test";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";
import { cancelledBy } from "../../../src/adapters/read-api/answer-budget.ts";

test("it is cancelled by any of the signals", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const { signal } = cancelledBy([one.signal, other.signal]);

  expect(signal.aborted).toBe(false);
  other.abort();
  expect(signal.aborted).toBe(true);
});

test("it is cancelled from the beginning by a signal that was aborted before", () => {
  expect(cancelledBy([AbortSignal.abort()]).signal.aborted).toBe(true);
});

test("it can be cancelled by itself", () => {
  const cancellation = cancelledBy([]);

  cancellation.cancel();

  expect(cancellation.signal.aborted).toBe(true);
});

test("disposed of, it is cancelled, and follows no signal any more", () => {
  const followed = countedSignal();
  const cancellation = cancelledBy([followed.signal]);
  const listening = followed.listening();

  cancellation[Symbol.dispose]();

  expect(cancellation.signal.aborted).toBe(true);
  expect([listening, followed.listening()]).toEqual([1, 0]);
});
