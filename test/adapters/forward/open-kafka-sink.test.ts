import { afterEach, expect, spyOn, test } from "bun:test";
import * as client from "../../../src/adapters/forward/kafka-client.js";
import type { KafkaClient } from "../../../src/adapters/forward/kafka-client.js";
import { loadKafkaLater, openKafkaSink } from "../../../src/adapters/forward/open-kafka-sink.ts";
import { forwardConfig } from "../../support/fakes/forward-config.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

type Opening = Parameters<typeof openKafkaSink>[0];

interface Opened extends Partial<Opening> {
  readonly compression?: "none" | "gzip" | "zstd";
}

async function open({ compression = "gzip", ...some }: Opened = {}) {
  const broker = await startKafkaBroker({});
  const forward = forwardConfig({
    FORWARD_ENDPOINT: `kafka://127.0.0.1:${broker.port}/spans`,
    FORWARD_COMPRESSION: compression,
  });
  const clock = new HandMovedClock();
  const files = { headers: [], tls: { rejectUnauthorized: true } };
  const sink = openKafkaSink({ forward, clock, ...some }, files);
  ends.push(
    () => broker.stop(),
    () => sink.close(),
  );
  return { broker, clock, sink };
}

test("the client of Kafka is loaded by the first batch, not by the start", async () => {
  let loads = 0;
  const loadKafka = async () => {
    loads += 1;
    return await import("../../../src/adapters/forward/kafka-client.js");
  };
  const { broker, sink } = await open({ loadKafka });
  const atStart = loads;

  await sink.send(batchOf(1), never);
  await sink.send(batchOf(1), never);

  expect([atStart, loads, broker.messages.length]).toEqual([0, 1, 2]);
});

test("a command, which has nothing else to do, loads the client of Kafka at once", async () => {
  const { sink } = await open();

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
});

test("the client of Kafka is loaded after a pause, in which a start can end", async () => {
  const clock = new HandMovedClock();
  const { sink } = await open({ clock, loadKafka: () => loadKafkaLater(clock) });

  const sending = sink.send(batchOf(1), never);
  const pauses = clock.pendingActions;
  clock.moveMs(250);

  expect(pauses).toBe(1);
  expect(await sending).toEqual({ outcome: "delivered" });
});

// The broker accepts no batch with a wrong checksum.
test("the checksum of a large batch is computed without copying its spans", async () => {
  const checked: Uint8Array[] = [];
  const setCRC32C: KafkaClient["setCRC32C"] = (crc32c) =>
    client.setCRC32C((bytes) => {
      checked.push(...bytes.buffers);
      return crc32c(bytes);
    });
  const { sink } = await open({
    compression: "none",
    loadKafka: async () => ({ ...client, setCRC32C }),
  });
  const batch = batchOf(10_000);

  const outcome = await sink.send(batch, never);

  expect(outcome).toEqual({ outcome: "delivered" });
  expect(checked.filter(({ buffer }) => buffer === batch.request.buffer)).toHaveLength(1);
});

test.each(["none", "gzip"] as const)(
  "with %s, a large batch is not joined",
  async (compression) => {
    const { broker, sink } = await open({ compression });
    const batch = batchOf(10_000);
    const isOfBatch = ({ buffer }: Uint8Array) => buffer === batch.request.buffer;
    using concat = spyOn(Buffer, "concat");

    const outcome = await sink.send(batch, never);

    expect(outcome).toEqual({ outcome: "delivered" });
    expect(broker.messages.map(({ value }) => value.length)).toEqual([batch.request.length]);
    expect(concat.mock.calls.flatMap(([chunks]) => chunks.filter(isOfBatch))).toEqual([]);
  },
);
