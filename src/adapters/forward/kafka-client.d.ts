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

/** The options of the library that are used here. Times are in milliseconds. */
export interface ProducerOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: readonly { readonly host: string; readonly port: number }[];
  /** Sends one request at a time, and requires the acknowledgement of all replicas in sync. */
  idempotent: boolean;
  readonly compression: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  /** How long a broker waits for its replicas. */
  readonly timeout: number;
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  readonly metadataMaxAge: number;
  retries: number;
  /** Returns the pause before it tries again. */
  readonly retryDelay: (
    ...attempt: [client: unknown, operation: string, attempt: number, retries: number, error: Error]
  ) => number;
  readonly tls?: TlsMaterial;
  readonly sasl?: SaslCredentials;
}

export interface Producer {
  /** Undefined until a broker has assigned it. */
  readonly producerId: bigint | undefined;
  readonly connections: Iterable<readonly [broker: string, { readonly socket?: Socket }]>;
  send(options: { messages: KafkaMessage[] }): Promise<unknown>;
  /** Asks a broker, unless it has done so recently and `forceUpdate` is not set. */
  metadata(options: { topics: string[]; forceUpdate: boolean }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }>;
  }>;
  initIdempotentProducer(options: object): Promise<unknown>;
  clearMetadata(): void;
  close(force: boolean): Promise<void>;
}

export declare const Producer: new (options: ProducerOptions) => Producer;

/** The hash by which the clients for Java choose the partition of a key. */
export declare const murmur2: (key: Buffer) => number;

/** The library as a whole. */
export interface KafkaClient {
  readonly murmur2: typeof murmur2;
  readonly Producer: typeof Producer;
}
