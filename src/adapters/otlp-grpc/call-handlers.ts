import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
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

/** Handlers see messages as they came: who wants fields decodes them, and chooses the status. */
type UnaryHandler = handleUnaryCall<Buffer, Buffer>;
type WatchHandler = handleServerStreamingCall<Buffer, Buffer>;
type DialogueHandler = handleBidiStreamingCall<Buffer, Buffer>;

/** A handler, and the path of its method: `/package.Service/Method`. */
export type Method = { readonly path: string } & (
  | { readonly type: "unary"; readonly handler: UnaryHandler }
  | { readonly type: "serverStream"; readonly handler: WatchHandler }
  | { readonly type: "bidi"; readonly handler: DialogueHandler }
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

/** grpc-js copies what it is given, so a view is enough. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How a call ends that has failed, as grpc-js takes it. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** A status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB in all. */
const MAX_DETAILS_LENGTH = 1024;

export function callFailure(answer: FailureReceipt): CallFailure {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", bufferOver(encodeStatus(answer)));
  if (answer.outcome === "unsupported_encoding")
    metadata.set("grpc-accept-encoding", ENCODINGS_TAKEN);
  // Half a surrogate pair would make grpc-js throw when it encodes the text for the trailers.
  const details = answer.message.slice(0, MAX_DETAILS_LENGTH).toWellFormed();
  return { code: STATUS_TABLE[answer.outcome].grpcCode, details, metadata };
}
