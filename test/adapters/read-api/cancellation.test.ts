import { expect, test } from "bun:test";
import { cancelledBy } from "../../../src/adapters/read-api/answer-budget.ts";

test("it is cancelled by any of the signals", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const { signal } = cancelledBy([one.signal, other.signal]);

  expect(signal.aborted).toBe(false);
  other.abort();
  expect(signal.aborted).toBe(true);
});

test("it is cancelled from the beginning by a signal of the past", () => {
  expect(cancelledBy([AbortSignal.abort()]).signal.aborted).toBe(true);
});

test("it can be cancelled by itself", () => {
  const cancellation = cancelledBy([]);

  cancellation.cancel();

  expect(cancellation.signal.aborted).toBe(true);
});

test("when it is over, no signal reaches it any more", () => {
  const controller = new AbortController();
  const cancellation = cancelledBy([controller.signal]);

  cancellation.clear();
  controller.abort();

  expect(cancellation.signal.aborted).toBe(false);
});
