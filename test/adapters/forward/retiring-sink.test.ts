import { expect, test } from "bun:test";
import { RetiringSink } from "../../../src/adapters/forward/reloading-sink.ts";
import { FakeSink } from "../../support/fakes/fake-sink.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

test("a retired sink is closed after its last send", async () => {
  const sink = new FakeSink(() => "held");
  const retiring = new RetiringSink(sink);
  const sending = retiring.send(batchOf(1), never);
  await nextTurn();

  const retired = retiring.retire();
  await nextTurn();
  const isClosedBefore = sink.isClosed;
  sink.held[0]!.settle({ outcome: "delivered" });
  await retired;

  expect(await sending).toEqual({ outcome: "delivered" });
  expect([isClosedBefore, sink.isClosed]).toEqual([false, true]);
});

test("a retired sink is closed after a send that throws", async () => {
  const sink = new FakeSink(() => {
    throw new Error("a fault");
  });
  const retiring = new RetiringSink(sink);
  const sending = retiring.send(batchOf(1), never);

  await Promise.all([retiring.retire(), sending.catch(() => {})]);

  expect(sending).rejects.toThrow("a fault");
  expect(sink.isClosed).toBe(true);
});

test("close() aborts the send in flight", async () => {
  const retiring = new RetiringSink(new FakeSink(() => "held"));
  const sending = retiring.send(batchOf(1), never);

  await retiring.close();

  expect(await sending).toMatchObject({ outcome: "retry" });
});
