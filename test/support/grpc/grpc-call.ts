import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ClientOptions, ServiceError } from "@grpc/grpc-js";
import { gzipSync } from "node:zlib";

/** The end of a unary call. */
export interface CallEnd {
  readonly code: status;
  readonly details: string;
  readonly message: Buffer | undefined;
  readonly trailers: Metadata;
}

export const EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

export function openGrpcClient(port: number, options: ClientOptions = {}): Client {
  // Otherwise, channels to the same port share their connections.
  const ownConnections = { "grpc.use_local_subchannel_pool": 1 };
  const address = `127.0.0.1:${port}`;
  return new Client(address, credentials.createInsecure(), { ...ownConnections, ...options });
}

export function sameBytes(message: Buffer): Buffer {
  return message;
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** Sends `message` unchanged; resolves however the call ends. */
export function callUnary(
  client: Client,
  path: string,
  message: Uint8Array,
  { metadata = {}, deadlineMs }: CallOptions = {},
): Promise<CallEnd> {
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
  const end = Promise.withResolvers<CallEnd>();
  const answered = (error: ServiceError | null, answer?: Buffer) => {
    const { code, details } = error ?? { code: status.OK, details: "OK" };
    end.resolve({ code, details, message: answer, trailers: error?.metadata ?? new Metadata() });
  };
  const body = Buffer.from(message);
  client.makeUnaryRequest(path, sameBytes, sameBytes, body, sent, options, answered);
  return end.promise;
}

/** With this option, a client compresses its messages with gzip. */
export const GZIP: ClientOptions = { "grpc.default_compression_algorithm": 2 };

/** Returns a small message that decompresses to `lengthBytes` of zeros. */
export function gzipBomb(lengthBytes: number): Buffer {
  return gzipSync(Buffer.alloc(lengthBytes));
}

/**
 * Resolves when the server has processed everything that happened on this connection so far. It
 * learns of a cancelled call one turn of the event loop later, so this takes two round trips.
 */
export async function heardByServer(client: Client): Promise<void> {
  await callUnary(client, "/no.such/Method", Buffer.alloc(0));
  await callUnary(client, "/no.such/Method", Buffer.alloc(0));
}
