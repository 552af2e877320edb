import { expect, test } from "bun:test";
import { untilAborted } from "../../../src/application/forwarding/upstream-gate.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";

const never = new Promise<void>(() => {});

test("the wait ends with the promise and removes its listener from the signal", async () => {
  const { signal, listening } = countedSignal();

  const waiting = untilAborted(Promise.resolve(), signal);
  const during = listening();
  await waiting;

  expect([during, listening()]).toEqual([1, 0]);
});

test("the wait ends when the signal aborts, or has aborted before", async () => {
  const canceller = new AbortController();
  const waiting = untilAborted(never, canceller.signal);

  canceller.abort();

  expect(await waiting).toBeUndefined();
  expect(await untilAborted(never, canceller.signal)).toBeUndefined();
});
