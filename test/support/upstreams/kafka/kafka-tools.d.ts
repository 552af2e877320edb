import type { Readable } from "node:stream";

interface ClientOptions {
  clientId: string;
  bootstrapBrokers: string[];
  retries?: number;
  groupId?: string;
  maxBytes?: number;
}

export interface ConsumedMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | undefined;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
}

export declare class Admin {
  constructor(options: ClientOptions);
  createTopics(topics: {
    topics: string[];
    partitions: number;
    replicas: number;
    configs: { name: string; value: string }[];
  }): Promise<unknown>;
  metadata(options: { topics: string[] }): Promise<{
    readonly brokers: ReadonlyMap<number, unknown>;
    readonly topics: ReadonlyMap<string, { readonly partitions: readonly { leader: number }[] }>;
  }>;
  close(): Promise<void>;
}

export declare class Consumer {
  constructor(options: ClientOptions);
  listOffsets(options: { topics: string[] }): Promise<ReadonlyMap<string, readonly bigint[]>>;
  consume(options: object): Promise<Readable & AsyncIterable<ConsumedMessage>>;
  close(force: boolean): Promise<void>;
}

/** Returns messages in the form in which brokers store them, from offset 0. */
export declare function createRecordsBatch(
  messages: readonly { readonly topic: string; readonly value: Buffer }[],
): { readonly buffer: Buffer };
