import type { KafkaReader, KafkaWriter } from "./kafka-bytes.ts";
import { createRecordsBatch } from "./kafka/kafka-tools.js";

/** A message that clients may read. */
export interface LogMessage {
  readonly value: Uint8Array;
  readonly unixMs: number;
}

/** The messages of a partition, of which the oldest may be gone. */
export interface LogPartition {
  firstOffset: number;
  readonly messages: LogMessage[];
}

/** A topic that clients read; it may change at any time. Errors are numbers of the protocol. */
export interface KafkaLog {
  readonly partitions: LogPartition[];
  /** Called for each question for messages; "close" closes the connection. */
  fetchError?: () => number | "close";
  offsetsError?: () => number;
}

export function logPartition(messages: readonly LogMessage[] = [], firstOffset = 0): LogPartition {
  return { firstOffset, messages: [...messages] };
}

const OUT_OF_RANGE = 1;
const START = -2n;
const END = -1n;

function endOf({ firstOffset, messages }: LogPartition): number {
  return firstOffset + messages.length;
}

export function writeOffsets(answer: KafkaWriter, request: KafkaReader, log: KafkaLog): true {
  request.skip(4);
  const topics = request.array(() => ({
    topic: request.string() ?? "",
    partitions: request.array(() => ({ index: request.int32(), unixMs: request.int64() })),
  }));
  answer.array(topics, ({ topic, partitions }) => {
    answer.string(topic).array(partitions, ({ index, unixMs }) => {
      const offset = offsetAt(log.partitions[index]!, unixMs);
      answer.int32(index).int16(log.offsetsError?.() ?? 0);
      answer.int64(-1n).int64(BigInt(offset));
    });
  });
  return true;
}

/** Returns the offset of the first message of this time or later; -1 if there is none. */
function offsetAt(partition: LogPartition, unixMs: bigint): number {
  if (unixMs === START) return partition.firstOffset;
  if (unixMs === END) return endOf(partition);
  const at = partition.messages.findIndex((message) => message.unixMs >= Number(unixMs));
  return at < 0 ? -1 : partition.firstOffset + at;
}

interface WantedPartition {
  readonly index: number;
  readonly offset: number;
}

export function writeFetched(
  answer: KafkaWriter,
  request: KafkaReader,
  log: KafkaLog,
): true | "close" {
  const failure = log.fetchError?.() ?? 0;
  if (failure === "close") return "close";
  request.skip(4 + 4 + 4 + 4 + 1);
  const topics = request.array(() => ({
    topic: request.string() ?? "",
    partitions: request.array((): WantedPartition => {
      const wanted = { index: request.int32(), offset: Number(request.int64()) };
      request.skip(4);
      return wanted;
    }),
  }));
  answer.int32(0).array(topics, ({ topic, partitions }) => {
    answer.string(topic).array(partitions, (wanted) => {
      writePartition(answer, log.partitions[wanted.index]!, wanted, failure);
    });
  });
  return true;
}

function writePartition(
  answer: KafkaWriter,
  partition: LogPartition,
  { index, offset }: WantedPartition,
  failure: number,
): void {
  const isInRange = offset >= partition.firstOffset && offset <= endOf(partition);
  const error = failure === 0 && !isInRange ? OUT_OF_RANGE : failure;
  const end = BigInt(endOf(partition));
  answer.int32(index).int16(error).int64(end).int64(end).int32(0);
  const from = offset - partition.firstOffset;
  const wanted = error === 0 ? partition.messages.slice(from, from + MAX_MESSAGES) : [];
  answer.bytes(batchOf(wanted, offset));
}

/** So few that a client must ask several times. */
const MAX_MESSAGES = 3;

/** Returns the messages as one batch, which begins at an offset. */
function batchOf(messages: readonly LogMessage[], offset: number): Buffer {
  if (messages.length === 0) return Buffer.alloc(0);
  const records = messages.map(({ value }) => ({ topic: "", value: Buffer.from(value) }));
  const batch = createRecordsBatch(records).buffer;
  batch.writeBigInt64BE(BigInt(offset));
  return batch;
}
