import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { SaslCredentials, TlsMaterial } from "./forward-files.ts";

/** A message to be produced. */
export interface KafkaMessage {
  readonly topic: string;
  /** Any whole number, of which `ProducerLane` takes the remainder by the number of partitions. */
  partition: number;
  readonly key?: Buffer;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
}

/** The options of all clients that are used here. Times are in milliseconds. */
export interface ClientOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: readonly { readonly host: string; readonly port: number }[];
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  readonly metadataMaxAge: number;
  retries: number;
  readonly tls?: TlsMaterial;
  readonly sasl?: SaslCredentials;
}

export interface ProducerOptions extends ClientOptions {
  /** Sends one request at a time, and requires the acknowledgement of all replicas in sync. */
  idempotent: boolean;
  readonly compression: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  /** How long a broker waits for its replicas. */
  readonly timeout: number;
  /** Returns the pause before it tries again. */
  readonly retryDelay: (
    ...attempt: [client: unknown, operation: string, attempt: number, retries: number, error: Error]
  ) => number;
}

/** What a producer and a consumer have in common. */
export interface Client {
  readonly connections: Iterable<readonly [broker: string, { readonly socket?: Socket }]>;
  clearMetadata(): void;
  close(force: boolean): Promise<void>;
}

export interface Producer extends Client {
  /** Undefined until a broker has assigned it. */
  readonly producerId: bigint | undefined;
  send(options: { messages: KafkaMessage[] }): Promise<unknown>;
  /** Asks a broker, unless it has done so recently and `forceUpdate` is not set. */
  metadata(options: { topics: string[]; forceUpdate: boolean }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }>;
  }>;
  initIdempotentProducer(options: object): Promise<unknown>;
}

export declare const Producer: new (options: ProducerOptions) => Producer;

export interface ConsumerOptions extends ClientOptions {
  /** Required, but unused by a consumer that joins no group. */
  readonly groupId: string;
  /** 0 for all messages, 1 for those of finished transactions only. */
  readonly isolationLevel: 0 | 1;
}

/** The leader of a partition, which is the broker to ask for its messages. */
export interface PartitionLeader {
  readonly leader: number;
  readonly leaderEpoch: number;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
  readonly fetchOffset: bigint;
  readonly partitionMaxBytes: number;
}

/** Messages as they were produced together. */
export interface RecordsBatch {
  readonly attributes: number;
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly records: readonly { readonly offsetDelta: number; readonly value: Buffer | null }[];
}

export interface Consumer extends Client {
  /** The topics whose brokers the consumer knows. */
  readonly topics: { track(topic: string): unknown };
  metadata(options: { topics: string[] }): Promise<{
    readonly topics: ReadonlyMap<
      string,
      { readonly id: string; readonly partitions: readonly PartitionLeader[] }
    >;
  }>;
  /** Resolves to offsets by partition: of a Unix time in ms, or of the end (-1) or start (-2). */
  listOffsets(options: {
    topics: string[];
    timestamp: bigint;
  }): Promise<ReadonlyMap<string, readonly bigint[]>>;
  fetch(options: {
    readonly node: number;
    readonly topics: readonly {
      readonly topicId: string;
      readonly partitions: readonly FetchedPartition[];
    }[];
    readonly maxWaitTime: number;
    readonly maxBytes: number;
  }): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly {
        readonly partitionIndex: number;
        readonly records?: readonly RecordsBatch[] | null;
      }[];
    }[];
  }>;
}

export declare const Consumer: new (options: ConsumerOptions) => Consumer;

/** The hash by which the clients for Java choose the partition of a key. */
export declare const murmur2: (key: Buffer) => number;

/** Bytes in chunks. */
interface DynamicBuffer {
  readonly buffers: readonly Buffer<ArrayBuffer>[];
}

/** How a batch of messages is compressed. */
interface CompressionAlgorithm {
  compressSync: (bytes: Buffer<ArrayBuffer>) => Uint8Array;
  compress?: (bytes: DynamicBuffer) => Promise<Uint8Array>;
}

/** The table in which the producers of the library look up algorithms. */
export declare const compressionsAlgorithms: Readonly<
  Record<"gzip" | "zstd", CompressionAlgorithm>
>;

/** Replaces the function that computes the checksum of a batch of messages. */
export declare const setCRC32C: (implementation: (bytes: DynamicBuffer) => number) => void;

/** Joins chunks of less than 64 KiB that follow one another, and yields the others as they are. */
export declare const joinSmallChunks: (
  chunks: DynamicBuffer["buffers"],
) => Iterable<Buffer<ArrayBuffer>>;

/** The library as a whole. */
export interface KafkaClient {
  readonly setCRC32C: typeof setCRC32C;
  readonly joinSmallChunks: typeof joinSmallChunks;
  readonly compressionsAlgorithms: typeof compressionsAlgorithms;
  readonly murmur2: typeof murmur2;
  readonly Producer: typeof Producer;
  readonly Consumer: typeof Consumer;
}
