import { afterEach, expect, test } from "bun:test";
import { KafkaSink, type KafkaSinkParts } from "../../../src/adapters/forward/kafka-sink.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { spanDigests } from "../../support/oracles/span-digests.ts";
import type { BrokerBatch, BrokerMessage } from "../../support/upstreams/kafka-batches.ts";
import {
  type BrokerScript,
  type KafkaBroker,
  startKafkaBroker,
} from "../../support/upstreams/kafka-broker.ts";
import { kafkaParts } from "../../support/upstreams/kafka-sink-upstream.ts";

const EMPTY = { request: new Uint8Array(0), spanCount: 0 };

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function start(
  script: BrokerScript,
  some: Partial<KafkaSinkParts> = {},
): Promise<{ readonly broker: KafkaBroker; readonly sink: KafkaSink }> {
  const broker = await startKafkaBroker(script);
  const sink = new KafkaSink({ ...kafkaParts(broker.port), ...some });
  ends.push(
    () => broker.stop(),
    () => sink.close(),
  );
  return { broker, sink };
}

test("a batch is one message without a key, with the configured headers", async () => {
  const headers = [["tenant", "a b"]] as const;
  const { broker, sink } = await start({}, { headers });
  const batch = batchOf(2);

  await sink.send(batch, never);

  const value = new Uint8Array(batch.request);
  expect(broker.messages).toEqual([{ partition: 0, key: undefined, value, headers: [...headers] }]);
});

test("all replicas in sync must acknowledge a batch, whose producer has a number", async () => {
  const { broker, sink } = await start({});

  await sink.send(batchOf(1), never);

  const [{ acks, producerId, sequence }] = broker.batches as [(typeof broker.batches)[number]];
  expect({ acks, sequence, isNumbered: producerId > 0n }).toEqual({
    acks: -1,
    sequence: 0,
    isNumbered: true,
  });
});

test.each([
  { compression: "none", codec: 0 },
  { compression: "gzip", codec: 1 },
  { compression: "zstd", codec: 4 },
] as const)("with $compression, batches have codec $codec", async ({ compression, codec }) => {
  const { broker, sink } = await start({}, { compression });

  await sink.send(batchOf(100), never);

  expect(broker.batches.map((batch) => batch.codec)).toEqual([codec]);
});

test("batches go to the partitions in turn, also with several at a time", async () => {
  const { broker, sink } = await start({ partitions: 3 });

  await sink.send(batchOf(1), never);
  await Promise.all([sink.send(batchOf(1), never), sink.send(batchOf(1), never)]);
  await sink.send(batchOf(1), never);

  const partitions = broker.messages.map(({ partition }) => partition);
  expect([partitions[0], partitions.slice(1, 3).toSorted(), partitions[3]]).toEqual([0, [1, 2], 0]);
});

test("a producer is used again after a success, and not by two batches at a time", async () => {
  const { broker, sink } = await start({});

  await Promise.all([sink.send(batchOf(1), never), sink.send(batchOf(1), never)]);
  await sink.send(batchOf(1), never);

  const [one, other, last] = broker.batches.map(({ producerId }) => producerId);
  expect(one).not.toBe(other);
  expect([one, other]).toContain(last);
  expect(broker.batches.at(-1)!.sequence).toBe(1);
});

test("a producer is not used again after a failure, because its numbers have a gap", async () => {
  const errors = [10, 0];
  const { broker, sink } = await start({ produce: () => errors.shift()! });

  const outcomes = [await sink.send(batchOf(2), never), await sink.send(batchOf(1), never)];

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["too_large", "delivered"]);
  const [first, second] = broker.batches.map(({ producerId }) => producerId);
  expect(first).not.toBe(second);
});

test("after a lost connection, the same producer repeats the same number", async () => {
  const answers = ["close", "close", 0] as const;
  let at = 0;
  const { broker, sink } = await start({ produce: () => answers[at++] });

  const outcome = await sink.send(batchOf(1), never);

  expect(outcome).toEqual({ outcome: "delivered" });
  expect(broker.batches).toHaveLength(3);
  expect(new Set(broker.batches.map(({ producerId }) => producerId)).size).toBe(1);
  expect(broker.batches.map(({ sequence }) => sequence)).toEqual([0, 0, 0]);
});

test("a number that the broker knows is a delivered batch", async () => {
  const answers = ["close", 46] as const;
  let at = 0;
  const { sink } = await start({ produce: () => answers[at++] });

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
});

test("a new leader is looked for after a broker is no longer the leader", async () => {
  const errors = [6, 6, 6, 0];
  const { broker, sink } = await start({ produce: () => errors.shift()! });
  await sink.send(EMPTY, never);

  const sending = sink.send(batchOf(1), never);
  await broker.asked.reached(3);

  expect(await sending).toEqual({ outcome: "delivered" });
});

test("an error that passes is retried until the time is up, and is then the reason", async () => {
  const { broker, sink } = await start({ produce: () => 19 }, { timeoutMs: 700 });

  const outcome = await sink.send(batchOf(1), never);

  expect(outcome).toEqual({
    outcome: "retry",
    message: expect.stringContaining("NOT_ENOUGH_REPLICAS (topic spans)"),
    hint: expect.stringContaining("min.insync.replicas"),
  });
  expect(broker.batches.length).toBeGreaterThan(1);
});

const tracesOf = (messages: readonly BrokerMessage[]): string[] =>
  messages.map(({ key }) => String(key)).toSorted();

test("with a key, each trace is one message, and always on the same partition", async () => {
  const { broker, sink } = await start({ partitions: 3 }, { key: "trace_id" });
  const batch = batchOf(20);

  await sink.send(batch, never);
  await sink.send(batch, never);

  const places = broker.messages.map(({ key, partition }) => `${key} on ${partition}`);
  expect([places.length, new Set(places).size]).toEqual([40, 20]);
  expect(new Set(broker.messages.map(({ partition }) => partition)).size).toBe(3);
  const values = broker.messages.slice(0, 20).map(({ value }) => value);
  expect(spanDigests(values)).toEqual(spanDigests([batch.request]));
});

test("only the partition that finds its messages too large gets them again, halved", async () => {
  const stored: BrokerMessage[] = [];
  const produce = (batch: BrokerBatch): number => {
    if (batch.partition === 1 && batch.messages.length > 2) return 10;
    stored.push(...batch.messages);
    return 0;
  };
  const { sink } = await start({ partitions: 3, produce }, { key: "trace_id" });

  const outcome = await sink.send(batchOf(20), never);

  expect(outcome).toEqual({ outcome: "delivered" });
  expect(tracesOf(stored)).toHaveLength(20);
  expect(new Set(tracesOf(stored)).size).toBe(20);
});

test("an empty request asks for the topic, and produces no message", async () => {
  const { broker, sink } = await start({});

  expect(await sink.send(EMPTY, never)).toEqual({ outcome: "delivered" });
  await broker.asked.reached(1);
  expect(broker.batches).toEqual([]);
});

test.each([
  { name: "spans", batch: batchOf(1) },
  { name: "an empty request", batch: EMPTY },
])("without the topic, $name is refused until someone creates it", async ({ batch }) => {
  let error = 3;
  const { sink } = await start({ topicError: () => error });

  const without = await sink.send(batch, never);
  error = 0;

  expect(without).toEqual({
    outcome: "blocked",
    reason: "not_found",
    message: expect.stringContaining("UNKNOWN_TOPIC_OR_PARTITION (topic spans)"),
    hint: "create the topic, or check its name in FORWARD_ENDPOINT",
  });
  expect(await sink.send(batch, never)).toEqual({ outcome: "delivered" });
});

test("an empty request shows that this user may not produce with a number", async () => {
  const { sink } = await start({ producerIdError: () => 31 });

  expect(await sink.send(EMPTY, never)).toMatchObject({ outcome: "blocked", reason: "forbidden" });
});

test("messages that this user may not write stay, though an empty request succeeds", async () => {
  const { sink } = await start({ produce: () => 29 });

  const outcomes = [await sink.send(EMPTY, never), await sink.send(batchOf(1), never)];

  expect(outcomes).toEqual([
    { outcome: "delivered" },
    {
      outcome: "retry",
      message: expect.stringContaining("TOPIC_AUTHORIZATION_FAILED"),
      hint: "permit this user to write to the topic",
    },
  ]);
});

const LOGIN = { mechanism: "PLAIN", username: "edge", password: "hunter2" } as const;
const SASL = { mechanism: "PLAIN", bytes: "\0edge\0hunter2", refusal: "no such user" };

test("the credentials reach the broker before a batch", async () => {
  const { broker, sink } = await start({ sasl: SASL }, { sasl: LOGIN });

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
  expect(broker.messages).toHaveLength(1);
});

test("wrong credentials are refused in the words of the broker", async () => {
  const sasl = { ...LOGIN, password: "wrong" };
  const { sink } = await start({ sasl: SASL }, { sasl });

  expect(await sink.send(batchOf(1), never)).toEqual({
    outcome: "blocked",
    reason: "unauthenticated",
    message: "SASL_AUTHENTICATION_FAILED (topic spans): no such user",
    hint: expect.stringContaining("FORWARD_SASL_PASSWORD_FILE"),
  });
});

test("a mechanism that the broker does not support is refused", async () => {
  const { sink } = await start({ sasl: { ...SASL, mechanism: "SCRAM-SHA-256" } }, { sasl: LOGIN });

  expect(await sink.send(batchOf(1), never)).toMatchObject({
    outcome: "blocked",
    reason: "unauthenticated",
    hint: expect.stringContaining("FORWARD_SASL_MECHANISM"),
  });
});

test("a broker that is too old is refused, and the spans stay", async () => {
  const { sink } = await start({ isOld: true });

  expect(await sink.send(batchOf(1), never)).toEqual({
    outcome: "blocked",
    reason: "unsupported",
    message: expect.stringContaining("UNSUPPORTED_VERSION (topic spans)"),
    hint: "the broker must be Apache Kafka 1.0 or later",
  });
});

test("a closed sink leaves no connection", async () => {
  const { broker, sink } = await start({});
  await Promise.all([sink.send(batchOf(1), never), sink.send(batchOf(1), never)]);
  const closed = [...broker.sockets].map((socket) => {
    return new Promise((resolve) => socket.once("close", resolve));
  });

  await sink.close();

  expect(closed.length).toBeGreaterThan(1);
  await Promise.all(closed);
});
