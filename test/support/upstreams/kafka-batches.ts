import { crc32c } from "@platformatic/wasm-utils";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { KafkaReader } from "./kafka-bytes.ts";

/** A message that the broker has received. */
export interface BrokerMessage {
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The messages of one partition in one request. */
export interface BrokerBatch {
  readonly partition: number;
  /** 0 for none, 1 for gzip, 4 for zstd. */
  readonly codec: number;
  readonly acks: number;
  readonly producerId: bigint;
  readonly sequence: number;
  /** Whether its checksum is that of its bytes. */
  readonly isIntact: boolean;
  readonly messages: readonly BrokerMessage[];
}

const UNREAD = { codec: 0, producerId: 0n, sequence: 0, isIntact: true, messages: [] };

/** Reads the messages of one partition, or skips them if they are to be discarded. */
export function readBatch(request: KafkaReader, acks: number, discards = false): BrokerBatch {
  const partition = request.int32();
  if (discards) return { ...UNREAD, partition, acks };
  const batch = new KafkaReader(request.bytes());
  batch.skip(8 + 4 + 4 + 1);
  const checksum = batch.int32() >>> 0;
  const covered = batch.rest();
  const isIntact = crc32c(covered) === checksum;
  const records = new KafkaReader(covered);
  const codec = records.int16() & 7;
  records.skip(4 + 8 + 8);
  const producerId = records.int64();
  records.int16();
  const [sequence, count] = [records.int32(), records.int32()];
  const rest = new KafkaReader(decompressed(records.rest(), codec));
  const messages = Array.from({ length: count }, () => readMessage(rest, partition));
  return { partition, codec, acks, producerId, sequence, isIntact, messages };
}

function decompressed(bytes: Buffer, codec: number): Buffer {
  if (codec === 0) return bytes;
  return codec === 1 ? gunzipSync(bytes) : zstdDecompressSync(bytes);
}

function readMessage(records: KafkaReader, partition: number): BrokerMessage {
  records.varint();
  records.skip(1);
  records.varint();
  records.varint();
  const key = records.varBytes()?.toString();
  const value = records.varBytes() ?? Buffer.alloc(0);
  const headers = Array.from({ length: records.varint() }, () => {
    return [String(records.varBytes()), String(records.varBytes())] as const;
  });
  return { partition, key, value: new Uint8Array(value), headers };
}
