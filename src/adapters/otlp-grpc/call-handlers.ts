import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type ServerDuplexStream,
  type Server,
  Metadata,
} from "@grpc/grpc-js";
import type { ServerHttp2Stream } from "node:http2";
import type { OpenRequest } from "../memory/in-flight-budget.ts";
import type { Connection } from "./connection-table.ts";
import { encodeStatus, type FailureReceipt } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { type EncodedMessage, ENCODINGS_TAKEN } from "./message-encoding.ts";

export const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";
export const HEALTH_SERVICE = "grpc.health.v1.Health";
export const REFLECTION_SERVICE = "grpc.reflection.v1.ServerReflection";
export const OLD_REFLECTION_SERVICE = "grpc.reflection.v1alpha.ServerReflection";

/** A call that has begun, on its stream of HTTP/2. */
export interface RoutedCall {
  readonly stream: ServerHttp2Stream;
  readonly connection: Connection;
  readonly path: string;
  readonly open: OpenRequest;
  /** Ends a call whose message takes too long. */
  readonly expire: () => void;
}

/**
 * Reports whether nothing can be sent on a stream any more: to send would throw. When a connection
 * closes, its streams first lose their session. They are destroyed in a later turn of the event
 * loop, and may pass on what has arrived before.
 */
export function isGone({ session, destroyed, closed }: ServerHttp2Stream): boolean {
  return session === undefined || destroyed || closed;
}

/** A call with one message and one answer. */
export interface UnaryCall {
  /** Freed when the call is answered or ends. */
  readonly message: EncodedMessage;
  /** The address of the caller, without the port. */
  readonly address: string;
  /** Reports whether the caller has gone, so that an answer would reach nobody. */
  readonly hasEnded: boolean;
  /** Answers OK, with an encoded message. */
  succeed(answer: Uint8Array): void;
  fail(failure: CallFailure): void;
}

/** Handlers decode what they need of an encoded message, and choose the status of a fault. */
type UnaryHandler = (call: UnaryCall) => void;
type ServerStreamHandler = handleServerStreamingCall<Buffer, Buffer>;
type BidirectionalHandler = handleBidiStreamingCall<Buffer, Buffer>;

/** The open bidirectional calls of a service, so that a stop can end them. */
export type BidirectionalStreams = Set<ServerDuplexStream<Buffer, Buffer>>;

/** A method that spanring answers by itself. */
export interface UnaryMethod {
  /** The path of the method: `/package.Service/Method`. */
  readonly path: string;
  readonly handler: UnaryHandler;
}

/** A method with more than one message or answer, of which grpc-js keeps the order. */
export type StreamingMethod = { readonly path: string } & (
  | { readonly type: "serverStream"; readonly handler: ServerStreamHandler }
  | { readonly type: "bidi"; readonly handler: BidirectionalHandler }
);

export function registerMethods(server: Server, methods: readonly StreamingMethod[]): void {
  for (const { path, handler, type } of methods) {
    server.register(path, handler, sameBytes, sameBytes, type);
  }
}

function sameBytes(message: Buffer): Buffer {
  return message;
}

/** Returns a view, without a copy. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The status of a failed call, in the form of grpc-js. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** A status is sent in HTTP/2 trailers, and many peers accept at most 8 KiB of them in total. */
const MAX_DETAILS_LENGTH = 1024;

export function callFailure(answer: FailureReceipt): CallFailure {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", bufferOver(encodeStatus(answer)));
  if (answer.outcome === "unsupported_encoding")
    metadata.set("grpc-accept-encoding", ENCODINGS_TAKEN);
  // The text is percent-encoded for the trailers, which fails at half a surrogate pair.
  const details = answer.message.slice(0, MAX_DETAILS_LENGTH).toWellFormed();
  return { code: STATUS_TABLE[answer.outcome].grpcCode, details, metadata };
}
