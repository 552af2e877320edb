import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import * as client from "../../../src/adapters/forward/kafka-client.js";
import { KafkaTopic } from "../../../src/adapters/forward/kafka-topic.ts";
import type { TopicItem, TopicRange } from "../../../src/ports/topic-source.ts";
import type { SleepingClock } from "../../../src/ports/clock.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { never } from "../../support/requests/span-batch.ts";
import { type BrokerScript, startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { type KafkaLog, logPartition } from "../../support/upstreams/kafka-log.ts";

// Goal: each message of a range is read once, whatever brokers do. Method: a broker in this process
// that speaks the protocol, and a clock on which pauses take no time.

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const ERROR = { notLeader: 6, unauthorized: 29, unknownTopic: 3, storage: 56 };

async function start(script: BrokerScript, given?: SleepingClock) {
  const clock = new HandMovedSleep();
  const broker = await startKafkaBroker(script);
  const brokers = [{ host: "127.0.0.1", port: broker.port }] as const;
  const topic = new KafkaTopic({
    client,
    endpoint: { protocol: "kafka", brokers, topic: "spans", isSecure: false },
    tls: undefined,
    sasl: undefined,
    secrets: ["hunter2"],
    timeoutMs: 10_000,
    clock: given ?? clock,
  });
  ends.push(
    () => broker.stop(),
    () => topic.close(),
  );
  return { broker, topic, clock };
}

const NOW_MS = 1_000_000;

/** Returns messages of one byte, a second apart, of which the last one is of now. */
function messages(...values: number[]) {
  return values.map((value, at) => ({
    value: Uint8Array.of(value),
    unixMs: NOW_MS - 1_000 * (values.length - 1 - at),
  }));
}

const SINCE_ALL: TopicRange = { sinceUnixMs: 0, follows: false };

async function itemsIn(topic: KafkaTopic, range = SINCE_ALL, signal = never): Promise<TopicItem[]> {
  return await Array.fromAsync(await topic.read(range, signal));
}

/** Returns `partition/offset=value`, or `partition/first-last` of a gap. */
function shown(item: TopicItem): string {
  if ("offset" in item) return `${item.partition}/${item.offset}=${item.value?.[0]}`;
  return `${item.partition}/${item.firstOffset}-${item.lastOffset}`;
}

test("the messages of all partitions are read to the end, those of each in order", async () => {
  const log: KafkaLog = {
    partitions: [logPartition(messages(1, 2, 3, 4, 5, 6, 7)), logPartition(messages(8), 5)],
  };
  const { topic } = await start({ log });

  const items = (await itemsIn(topic)).map(shown);

  const first = ["0/0=1", "0/1=2", "0/2=3", "0/3=4", "0/4=5", "0/5=6", "0/6=7"];
  expect(items.filter((item) => item.startsWith("0/"))).toEqual(first);
  expect(items.filter((item) => item.startsWith("1/"))).toEqual(["1/5=8"]);
});

test("a range begins with the first message of its time, if a partition has one", async () => {
  const log: KafkaLog = {
    partitions: [
      logPartition(messages(1, 2, 3)),
      logPartition([{ value: Uint8Array.of(9), unixMs: 5 }]),
    ],
  };
  const { topic } = await start({ log });

  const items = await itemsIn(topic, { sinceUnixMs: NOW_MS - 1_500, follows: false });

  expect(items.map(shown)).toEqual(["0/1=2", "0/2=3"]);
});

test("messages that arrive after the start of a range are not in it", async () => {
  const log: KafkaLog = { partitions: [logPartition(messages(1))] };
  const { topic } = await start({ log });

  const items = await topic.read(SINCE_ALL, never);
  log.partitions[0]!.messages.push(...messages(2));

  expect((await Array.fromAsync(items)).map(shown)).toEqual(["0/0=1"]);
});

test("without a time, only messages that arrive later are read, until the signal", async () => {
  const log: KafkaLog = { partitions: [logPartition(messages(1, 2))] };
  const { topic } = await start({ log });
  const stop = new AbortController();
  const items = await topic.read({ sinceUnixMs: undefined, follows: true }, stop.signal);

  log.partitions[0]!.messages.push(...messages(3, 4));
  log.partitions.push(logPartition(messages(5)));
  const first = [await items.next(), await items.next()];
  stop.abort();

  expect(first.map(({ value }) => shown(value as TopicItem))).toEqual(["0/2=3", "0/3=4"]);
  expect((await items.next()).done).toBe(true);
});

test("messages that were removed before they were read are reported as a gap", async () => {
  const log: KafkaLog = { partitions: [logPartition(messages(1, 2, 3, 4, 5, 6))] };
  const { topic } = await start({ log });
  const items = await topic.read(SINCE_ALL, never);
  const first = [];
  for (let count = 0; count < 3; count += 1) first.push((await items.next()).value as TopicItem);

  log.partitions[0]!.firstOffset = 5;
  log.partitions[0]!.messages.splice(0, 5);
  const rest = await Array.fromAsync(items);

  expect(first.map(shown)).toEqual(["0/0=1", "0/1=2", "0/2=3"]);
  expect(rest.map(shown)).toEqual(["0/3-4", "0/5=6"]);
});

test.each([
  { name: "a partition that changes its leader", failure: ERROR.notLeader },
  { name: "a disk that fails for a moment", failure: ERROR.storage },
  { name: "a connection that is lost", failure: "close" as const },
])("$name costs no message", async ({ failure }) => {
  let failures = 0;
  const log: KafkaLog = {
    partitions: [logPartition(messages(1, 2, 3, 4))],
    fetchError: () => ((failures += 1) % 2 === 1 ? failure : 0),
  };
  const { topic, clock } = await start({ log });

  const items = await itemsIn(topic);

  expect(items.map(shown)).toEqual(["0/0=1", "0/1=2", "0/2=3", "0/3=4"]);
  expect(clock.sleptMs).toEqual([250, 250]);
});

test("after an error that may mean a new leader, brokers are asked who leads", async () => {
  let questions = 0;
  const log: KafkaLog = { partitions: [logPartition(messages(1))] };
  const { topic } = await start({ log, topicError: () => (questions += 1) && 0 });
  const items = await topic.read(SINCE_ALL, never);
  const questionsBefore = questions;
  let failures = 0;
  log.fetchError = () => ((failures += 1) === 1 ? ERROR.storage : 0);

  await Array.fromAsync(items);

  expect([questionsBefore, questions]).toEqual([1, 2]);
});

test("a topic that appears within two seconds is read", async () => {
  let asked = 0;
  const script: BrokerScript = {
    log: { partitions: [logPartition(messages(1))] },
    topicError: () => ((asked += 1) < 4 ? ERROR.unknownTopic : 0),
  };
  const { topic, clock } = await start(script);

  const items = await itemsIn(topic);

  expect(items.map(shown)).toEqual(["0/0=1"]);
  expect(clock.sleptMs).toEqual([250, 500, 1_000]);
});

test("a topic that does not exist is reported with what to check", async () => {
  const { topic } = await start({ topicError: () => ERROR.unknownTopic });

  const reading = topic.read(SINCE_ALL, never);

  await expect(reading).rejects.toMatchObject({
    name: "TopicFault",
    message: expect.stringContaining("UNKNOWN_TOPIC_OR_PARTITION (topic spans): "),
    hint: "create the topic, or check its name in FORWARD_ENDPOINT",
  });
});

test("a user who may not read is told so at once", async () => {
  const { topic, clock } = await start({ topicError: () => ERROR.unauthorized });

  const reading = topic.read(SINCE_ALL, never);

  await expect(reading).rejects.toMatchObject({ hint: "permit this user to read the topic" });
  expect(clock.sleptMs).toEqual([]);
});

test("brokers that fail for longer than the timeout end the reading", async () => {
  const log: KafkaLog = {
    partitions: [logPartition(messages(1, 2, 3, 4))],
  };
  const { topic, clock } = await start({ log });
  const items = await topic.read(SINCE_ALL, never);
  for (let count = 0; count < 3; count += 1) await items.next();

  log.fetchError = () => ERROR.storage;

  await expect(items.next()).rejects.toMatchObject({
    message: expect.stringContaining("KAFKA_STORAGE_ERROR"),
  });
  expect(clock.sleptMs.reduce((sum, ms) => sum + ms, 0)).toBeWithin(9_000, 10_001);
});

test("a reader who follows a topic learns that brokers fail, and then reads on", async () => {
  const log: KafkaLog = { partitions: [logPartition(messages(1))] };
  const { topic, clock } = await start({ log });
  const causes: (string | undefined)[] = [];
  const stalled: TopicRange["stalled"] = (cause) => {
    causes.push(cause?.message);
    if (cause !== undefined) outages += 1;
  };
  let outages = 0;
  let refusals = 0;
  log.fetchError = () => {
    if (outages > 0) refusals += 1;
    return refusals < 5 ? ERROR.storage : 0;
  };

  const items = await topic.read({ sinceUnixMs: 0, follows: true, stalled }, never);
  const item = await items.next();

  expect(shown(item.value as TopicItem)).toBe("0/0=1");
  expect(causes).toEqual([expect.stringContaining("KAFKA_STORAGE_ERROR"), undefined]);
  expect(clock.sleptMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(10_000);
});

test("an abort ends the wait for an answer, and close ends the connections", async () => {
  const stop = new AbortController();
  const { topic, broker } = await start({ topicError: () => ERROR.unknownTopic }, PATIENT_CLOCK);
  const reading = topic.read(SINCE_ALL, stop.signal);
  await broker.asked.reached(1);

  stop.abort();
  const items = await Array.fromAsync(await reading);
  const closed = [...broker.sockets].map((socket) => once(socket, "close"));
  await topic.close();
  await Promise.all(closed);

  expect(items).toEqual([]);
});
