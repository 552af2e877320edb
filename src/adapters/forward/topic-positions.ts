import type { TopicItem } from "../../ports/topic-source.ts";
import type { Consumer, RecordsBatch } from "./kafka-client.js";
import { protocolFault } from "./kafka-errors.ts";

export interface TopicReader {
  readonly consumer: Consumer;
  readonly topic: string;
}

/** The progress in a partition, in offsets. */
export interface Position {
  readonly partition: number;
  /** The next message to read. */
  next: bigint;
  /** The message after the last one that was there at the start. */
  end: bigint;
}

/** How long a broker may wait for a message, before it answers that there is none. */
export const MAX_WAIT_MS = 250;

const MAX_FETCH_BYTES = 4 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;

/** Times that stand for the ends of a partition. Source: Kafka protocol, ListOffsets. */
const END = -1n;
const START = -2n;

/** Returns where each partition begins and ends: at this time, or now. */
export async function firstPositions(
  { consumer, topic }: TopicReader,
  sinceUnixMs: number | undefined,
): Promise<Position[]> {
  const offsetsAt = async (timestamp: bigint) =>
    (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic) ?? [];
  const ends = await offsetsAt(END);
  const starts = sinceUnixMs === undefined ? ends : await offsetsAt(BigInt(sinceUnixMs));
  return ends.map((end, partition) => {
    const start = starts[partition] ?? end;
    // Negative if no message is that new.
    return { partition, next: start < 0n ? end : start, end };
  });
}

/**
 * Returns the next messages of these partitions, none if there are none soon, and moves their
 * positions. Rejects if no partition could be read.
 */
export async function fetchItems(
  reader: TopicReader,
  positions: Position[],
  follows: boolean,
): Promise<TopicItem[]> {
  const { topics } = await reader.consumer.metadata({ topics: [reader.topic] });
  const { id, partitions } = topics.get(reader.topic)!;
  if (follows) addPartitions(positions, partitions.length);
  const byLeader = Map.groupBy(positions, ({ partition }) => partitions[partition]?.leader ?? -1);
  const answers = await Promise.allSettled(
    Array.from(byLeader, ([leader, led]) => fetchFrom(reader, leader, { id, led })),
  );
  const items = answers.flatMap((answer) =>
    answer.status === "fulfilled" ? readAnswer(answer.value, positions, follows) : [],
  );
  const failure = answers.find((answer) => answer.status === "rejected");
  // The others are asked again.
  if (items.length > 0 || failure === undefined) return items;
  const gaps = isOutOfRange(failure.reason) ? await moveIntoRange(reader, positions) : [];
  if (gaps.length === 0) throw failure.reason;
  return gaps;
}

/** A partition that was added since the start is read from its first message. */
function addPartitions(positions: Position[], count: number): void {
  for (let partition = positions.length; partition < count; partition += 1) {
    positions.push({ partition, next: 0n, end: 0n });
  }
}

type FetchAnswer = Awaited<ReturnType<Consumer["fetch"]>>;

function fetchFrom(
  { consumer }: TopicReader,
  node: number,
  { id, led }: { readonly id: string; readonly led: readonly Position[] },
): Promise<FetchAnswer> {
  const partitions = led.map(({ partition, next }) => ({
    partition,
    fetchOffset: next,
    partitionMaxBytes: MAX_PARTITION_BYTES,
    // The epochs are not checked.
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }));
  const topics = [{ topicId: id, partitions }];
  return consumer.fetch({ node, topics, maxWaitTime: MAX_WAIT_MS, maxBytes: MAX_FETCH_BYTES });
}

function readAnswer(
  { responses }: FetchAnswer,
  positions: readonly Position[],
  follows: boolean,
): TopicItem[] {
  return responses
    .flatMap(({ partitions }) => partitions)
    .flatMap(({ partitionIndex, records }) => {
      const position = positions.find(({ partition }) => partition === partitionIndex)!;
      return (records ?? []).flatMap((batch) => readBatch(batch, position, follows));
    });
}

/** Marks records that brokers have written about transactions. */
const CONTROL = 0x20;

/** Returns the wanted messages of a batch, whose first ones may have been read before. */
function readBatch(batch: RecordsBatch, position: Position, follows: boolean): TopicItem[] {
  const { partition, next, end } = position;
  const { firstOffset, lastOffsetDelta, attributes, records } = batch;
  // The last messages of a batch may have been removed.
  position.next = firstOffset + BigInt(lastOffsetDelta) + 1n;
  if ((attributes & CONTROL) !== 0) return [];
  return records
    .map(({ offsetDelta, value }) => ({
      partition,
      offset: firstOffset + BigInt(offsetDelta),
      value,
    }))
    .filter(({ offset }) => offset >= next && (follows || offset < end));
}

function isOutOfRange(error: unknown): boolean {
  return protocolFault(error)?.name === "OFFSET_OUT_OF_RANGE";
}

/** Moves positions whose messages were removed to the oldest that is left; returns the gaps. */
async function moveIntoRange(
  { consumer, topic }: TopicReader,
  positions: readonly Position[],
): Promise<TopicItem[]> {
  const offsets = await consumer.listOffsets({ topics: [topic], timestamp: START });
  const starts = offsets.get(topic) ?? [];
  return positions.flatMap((position) => {
    const { partition, next: firstOffset } = position;
    const start = starts[partition] ?? firstOffset;
    if (start <= firstOffset) return [];
    position.next = start;
    return [{ partition, firstOffset, lastOffset: start - 1n }];
  });
}
