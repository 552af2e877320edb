import { expect, test } from "bun:test";
import { CANCELLED, CLOSED, SendsInFlight } from "../../../src/adapters/forward/sends-in-flight.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";
import { NEVER, nextTurn } from "../../support/running/searched-ring.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };

test("a send is aborted by its own signal and by close()", async () => {
  const sends = new SendsInFlight();
  const canceller = new AbortController();
  const aborted: boolean[] = [];
  const send = async (given: AbortSignal): Promise<SendOutcome> => {
    await new Promise((resolve) => {
      given.addEventListener("abort", resolve);
    });
    aborted.push(given.aborted);
    return CANCELLED;
  };
  const running = [sends.run(canceller.signal, send), sends.run(NEVER, send)];

  canceller.abort();
  await running[0];
  const before = [...aborted];
  await sends.close();

  expect([before, aborted]).toEqual([[true], [true, true]]);
  expect(await Promise.all(running)).toEqual([CANCELLED, CANCELLED]);
});

test("close() resolves after every send has settled, also if one throws", async () => {
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

test("a settled send is forgotten, and its listener is removed", async () => {
  const sends = new SendsInFlight();
  const { signal, listening } = countedSignal();
  const send = Promise.withResolvers<SendOutcome>();
  const running = sends.run(signal, () => send.promise);
  const during = [countEntries(sends), listening()];

  send.resolve(DELIVERED);
  await running;

  expect([during, countEntries(sends), listening()]).toEqual([[1, 1], 0, 0]);
});

test("nothing is sent with an aborted signal or after close()", async () => {
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
