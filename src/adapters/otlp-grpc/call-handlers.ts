import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerDuplexStream,
  type Server,
  Metadata,
} from "@grpc/grpc-js";
import { encodeStatus, type FailureReceipt } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { ENCODINGS_TAKEN } from "./message-encoding.ts";

export const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";
export const HEALTH_SERVICE = "grpc.health.v1.Health";
export const REFLECTION_SERVICE = "grpc.reflection.v1.ServerReflection";
export const OLD_REFLECTION_SERVICE = "grpc.reflection.v1alpha.ServerReflection";

/** A handler of encoded messages. It decodes what it needs, and chooses the status of a fault. */
type UnaryHandler = handleUnaryCall<Buffer, Buffer>;
type ServerStreamHandler = handleServerStreamingCall<Buffer, Buffer>;
type BidirectionalHandler = handleBidiStreamingCall<Buffer, Buffer>;

/** The open bidirectional calls of a service, so that a stop can end them. */
export type BidirectionalStreams = Set<ServerDuplexStream<Buffer, Buffer>>;

/** A handler and the path of its method: `/package.Service/Method`. */
export type Method = { readonly path: string } & (
  | { readonly type: "unary"; readonly handler: UnaryHandler }
  | { readonly type: "serverStream"; readonly handler: ServerStreamHandler }
  | { readonly type: "bidi"; readonly handler: BidirectionalHandler }
);

export function registerMethods(server: Server, methods: readonly Method[]): void {
  for (const { path, handler, type } of methods) {
    server.register(path, handler, sameBytes, sameBytes, type);
  }
}

function sameBytes(message: Buffer): Buffer {
  return message;
}

/** Returns the address of a caller, without the port. */
export function addressOf(call: { getPeer(): string }): string {
  return call.getPeer().replace(/:\d+$/, "");
}

/** Returns a view, without a copy: grpc-js copies every message that it sends. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The status of a failed call, in the form that grpc-js takes. */
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
  // grpc-js encodes the text for the trailers, and throws at half a surrogate pair.
  const details = answer.message.slice(0, MAX_DETAILS_LENGTH).toWellFormed();
  return { code: STATUS_TABLE[answer.outcome].grpcCode, details, metadata };
}
