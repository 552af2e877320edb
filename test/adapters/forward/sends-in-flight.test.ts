import { expect, test } from "bun:test";
import { CANCELLED, CLOSED, SendsInFlight } from "../../../src/adapters/forward/sends-in-flight.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";
import { NEVER, nextTurn } from "../../support/running/searched-ring.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };

test("a send is given up by its own signal, and by closing", async () => {
  const sends = new SendsInFlight();
  const canceller = new AbortController();
  const givenUp: boolean[] = [];
  const send = async (given: AbortSignal): Promise<SendOutcome> => {
    await new Promise((resolve) => {
      given.addEventListener("abort", resolve);
    });
    givenUp.push(given.aborted);
    return CANCELLED;
  };
  const running = [sends.run(canceller.signal, send), sends.run(NEVER, send)];

  canceller.abort();
  await running[0];
  const before = [...givenUp];
  await sends.close();

  expect([before, givenUp]).toEqual([[true], [true, true]]);
  expect(await Promise.all(running)).toEqual([CANCELLED, CANCELLED]);
});

test("closing ends once every send has ended, however it did", async () => {
  const sends = new SendsInFlight();
  const [one, other] = [Promise.withResolvers<SendOutcome>(), Promise.withResolvers<SendOutcome>()];
  const running = Promise.allSettled(
    [one, other].map(({ promise }) => sends.run(NEVER, () => promise)),
  );
  const end = { isReached: false };
  const closing = sends.close().then(() => (end.isReached = true));

  const seen: boolean[] = [];
  const then = async (happens: () => void): Promise<void> => {
    happens();
    await nextTurn();
    seen.push(end.isReached);
  };
  await then(() => {});
  await then(() => one.reject(new Error("a fault")));
  await then(() => other.resolve(DELIVERED));
  await closing;

  expect(seen).toEqual([false, false, true]);
  expect(await running).toMatchObject([
    { status: "rejected" },
    { status: "fulfilled", value: DELIVERED },
  ]);
});

test("what has ended leaves nothing behind, and no listener", async () => {
  const sends = new SendsInFlight();
  const { signal, listening } = countedSignal();
  const send = Promise.withResolvers<SendOutcome>();
  const running = sends.run(signal, () => send.promise);
  const during = [countEntries(sends), listening()];

  send.resolve(DELIVERED);
  await running;

  expect([during, countEntries(sends), listening()]).toEqual([[1, 1], 0, 0]);
});

test("nothing is sent that was given up before, or once it is closed", async () => {
  const sends = new SendsInFlight();
  let count = 0;
  const send = async (): Promise<SendOutcome> => {
    count += 1;
    return DELIVERED;
  };

  const early = await sends.run(AbortSignal.abort(), send);
  await sends.close();
  const late = await sends.run(NEVER, send);

  expect([early, late, count]).toEqual([CANCELLED, CLOSED, 0]);
});
