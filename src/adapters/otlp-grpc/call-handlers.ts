import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
} from "@grpc/grpc-js";

export const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";
export const HEALTH_SERVICE = "grpc.health.v1.Health";
export const REFLECTION_SERVICE = "grpc.reflection.v1.ServerReflection";
export const OLD_REFLECTION_SERVICE = "grpc.reflection.v1alpha.ServerReflection";

/** Handlers see messages as they came: who wants fields decodes them, and chooses the status. */
export type UnaryHandler = handleUnaryCall<Buffer, Buffer>;
export type WatchHandler = handleServerStreamingCall<Buffer, Buffer>;
export type DialogueHandler = handleBidiStreamingCall<Buffer, Buffer>;

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
