import { expect, test } from "bun:test";
import { untilAborted } from "../../../src/application/forwarding/upstream-gate.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";

const never = new Promise<void>(() => {});

test("it ends with the promise, and listens to the signal no longer", async () => {
  const { signal, listening } = countedSignal();

  const waiting = untilAborted(Promise.resolve(), signal);
  const during = listening();
  await waiting;

  expect([during, listening()]).toEqual([1, 0]);
});

test("it ends when the signal is given, or has been given before", async () => {
  const canceller = new AbortController();
  const waiting = untilAborted(never, canceller.signal);

  canceller.abort();

  expect(await waiting).toBeUndefined();
  expect(await untilAborted(never, canceller.signal)).toBeUndefined();
});
