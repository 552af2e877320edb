import { expect, test } from "bun:test";
import { ProducerLane } from "../../../src/adapters/forward/kafka-producer.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { never } from "../../support/requests/span-batch.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { kafkaParts, TOPIC } from "../../support/upstreams/kafka-sink-upstream.ts";

const MESSAGE = { topic: TOPIC, partition: 0, value: Buffer.from("spans"), headers: new Map() };

test("an unanswered message is a timeout when its time is up", async () => {
  const broker = await startKafkaBroker({ produce: () => undefined });
  const clock = new HandMovedClock();
  const lane = new ProducerLane({ ...kafkaParts(broker.port), clock });

  const sending = lane.send([MESSAGE], never);
  await broker.arrivals.reached(1);
  clock.moveMs(60_000);

  expect((await sending).outcome).toEqual({
    outcome: "retry",
    message: "TimeoutError: no response in time",
    isTimeout: true,
  });
  expect(clock.pendingActions).toBe(0);
  lane.discard();
  await broker.stop();
});

test("without a broker, a message is not kept until its time is up", async () => {
  const broker = await startKafkaBroker({});
  const lane = new ProducerLane({ ...kafkaParts(broker.port), clock: new HandMovedClock() });
  await broker.stop();

  expect((await lane.send([MESSAGE], never)).outcome).toEqual({
    outcome: "retry",
    message: "ECONNREFUSED: nothing is listening there",
  });
  lane.discard();
});

test("a discarded lane closes its connections and tries nothing again", async () => {
  const broker = await startKafkaBroker({ produce: () => 19 });
  const lane = new ProducerLane({ ...kafkaParts(broker.port), clock: new HandMovedClock() });
  const cancelling = new AbortController();
  const sending = lane.send([MESSAGE], cancelling.signal);
  await broker.arrivals.reached(1);
  const closed = [...broker.sockets].map((socket) => {
    return new Promise((resolve) => socket.once("close", resolve));
  });

  cancelling.abort();
  const { outcome } = await sending;
  lane.discard();
  await Promise.all(closed);

  expect(outcome).toEqual({ outcome: "retry", message: "cancelled before a response arrived" });
  expect([closed.length, broker.sockets.size]).toEqual([1, 0]);
  await broker.stop();
});
