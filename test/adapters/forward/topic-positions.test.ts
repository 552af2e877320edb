import { expect, test } from "bun:test";
import type { Consumer, RecordsBatch } from "../../../src/adapters/forward/kafka-client.js";
import {
  fetchItems,
  type Position,
  type TopicReader,
} from "../../../src/adapters/forward/topic-positions.ts";

/** What the leader of a partition answers: batches, or an error for the whole question. */
type LeaderAnswer = readonly RecordsBatch[] | Error | null;

/** Returns a reader of a topic in which partition N is led by broker N. */
function readerOf(answers: readonly LeaderAnswer[], starts: readonly bigint[] = []): TopicReader {
  const partitions = answers.map((_, leader) => ({ leader, leaderEpoch: 0 }));
  const consumer: Pick<Consumer, "metadata" | "listOffsets" | "fetch"> = {
    metadata: async () => ({ topics: new Map([["spans", { id: "id", partitions }]]) }),
    listOffsets: async () => new Map([["spans", starts]]),
    fetch: async ({ node }) => {
      const answer = answers[node]!;
      if (answer instanceof Error) throw answer;
      return { responses: [{ partitions: [{ partitionIndex: node, records: answer }] }] };
    },
  };
  return { consumer: consumer as Consumer, topic: "spans" };
}

/** Returns a batch of messages at these distances from its first offset. */
function batch(firstOffset: bigint, deltas: readonly number[], more: Partial<RecordsBatch> = {}) {
  const records = deltas.map((offsetDelta) => ({ offsetDelta, value: Buffer.from("v") }));
  return { attributes: 0, firstOffset, lastOffsetDelta: deltas.at(-1)!, records, ...more };
}

function position(partition: number, next: bigint, end: bigint): Position {
  return { partition, next, end };
}

test("messages of a batch that were read before are left out", async () => {
  const at = position(0, 12n, 20n);

  const items = await fetchItems(readerOf([[batch(10n, [0, 1, 2, 3])]]), [at], false);

  expect(items).toMatchObject([{ offset: 12n }, { offset: 13n }]);
  expect(at.next).toBe(14n);
});

test("messages after the end of a range are left out, unless it has no end", async () => {
  const reader = readerOf([[batch(10n, [0, 1, 2, 3])]]);

  const ended = await fetchItems(reader, [position(0, 10n, 12n)], false);
  const followed = await fetchItems(reader, [position(0, 10n, 12n)], true);

  expect([ended.length, followed.length]).toEqual([2, 4]);
});

test("a batch whose last messages were removed is not asked for again", async () => {
  const at = position(0, 10n, 20n);
  const worn = batch(10n, [0, 4], { lastOffsetDelta: 9 });

  const items = await fetchItems(readerOf([[worn]]), [at], false);

  expect(items).toMatchObject([{ offset: 10n }, { offset: 14n }]);
  expect(at.next).toBe(20n);
});

test("what brokers have written about transactions is no message", async () => {
  const at = position(0, 10n, 11n);

  const items = await fetchItems(readerOf([[batch(10n, [0], { attributes: 0x20 })]]), [at], false);

  expect(items).toEqual([]);
  expect(at.next).toBe(11n);
});

test("a message without a value is an item of its own", async () => {
  const deleted = batch(10n, [0], { records: [{ offsetDelta: 0, value: null }] });

  const items = await fetchItems(readerOf([[deleted]]), [position(0, 10n, 11n)], false);

  expect(items).toEqual([{ partition: 0, offset: 10n, value: null }]);
});

test("a broker that fails does not withhold the messages of others", async () => {
  const positions = [position(0, 1n, 2n), position(1, 10n, 11n), position(2, 5n, 6n)];
  const reader = readerOf([new Error("lost"), [batch(10n, [0])], null]);

  const items = await fetchItems(reader, positions, false);

  expect(items).toMatchObject([{ partition: 1, offset: 10n }]);
  expect(positions.map(({ next }) => next)).toEqual([1n, 11n, 5n]);
});

test("if no broker has a message, the failure of one counts", async () => {
  const reader = readerOf([new Error("lost"), null]);

  const fetching = fetchItems(reader, [position(0, 1n, 2n), position(1, 1n, 2n)], false);

  await expect(fetching).rejects.toThrow("lost");
});

test("a gap is reported only for partitions that have lost messages", async () => {
  const error = Object.assign(new Error("gone"), { apiId: "OFFSET_OUT_OF_RANGE" });
  const positions = [position(0, 3n, 9n), position(1, 7n, 9n), position(2, 0n, 9n)];

  const items = await fetchItems(readerOf([error, null, null], [5n, 2n]), positions, false);

  expect(items).toEqual([{ partition: 0, firstOffset: 3n, lastOffset: 4n }]);
  expect(positions.map(({ next }) => next)).toEqual([5n, 7n, 0n]);
});

test("an offset that brokers do not have yet is a failure, and not a gap", async () => {
  const error = Object.assign(new Error("ahead"), { apiId: "OFFSET_OUT_OF_RANGE" });

  const fetching = fetchItems(readerOf([error], [0n]), [position(0, 3n, 9n)], false);

  await expect(fetching).rejects.toThrow("ahead");
});

test("a partition that is added while messages are followed is read from its start", async () => {
  const positions = [position(0, 10n, 10n)];

  const items = await fetchItems(readerOf([null, [batch(0n, [0])]]), positions, true);

  expect(items).toMatchObject([{ partition: 1, offset: 0n }]);
});
