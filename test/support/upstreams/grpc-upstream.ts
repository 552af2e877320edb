import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServerUnaryCall,
  type sendUnaryData,
  type status,
} from "@grpc/grpc-js";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { ArrivalsCount } from "./arrivals-count.ts";
import { EXPORT_PATH, sameBytes } from "../grpc/grpc-call.ts";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

/** The response to a call; `undefined` gives none. */
export type GrpcReply =
  | { readonly bytes: Uint8Array }
  | { readonly code: status; readonly details: string; readonly metadata?: Metadata }
  | undefined;

export interface GrpcRequest {
  readonly bytes: Buffer;
  readonly metadata: Metadata;
}

export interface GrpcUpstream {
  readonly port: number;
  readonly requests: readonly GrpcRequest[];
  readonly arrivals: ArrivalsCount;
  /** Resets all connections. */
  stop(): Promise<void>;
}

export interface GrpcUpstreamParts {
  readonly port?: number;
  readonly credentials?: ServerCredentials;
  readonly options?: ServerOptions;
}

/** Starts an OTLP/gRPC receiver on 127.0.0.1 that responds as told. */
export async function startGrpcUpstream(
  reply: (request: GrpcRequest) => GrpcReply,
  { port = 0, credentials = ServerCredentials.createInsecure(), options }: GrpcUpstreamParts = {},
): Promise<GrpcUpstream> {
  const server = new Server({ "grpc.max_receive_message_length": -1, ...options });
  const requests: GrpcRequest[] = [];
  const arrivals = new ArrivalsCount();
  const definition = {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestDeserialize: sameBytes,
    requestSerialize: sameBytes,
    responseDeserialize: sameBytes,
    responseSerialize: sameBytes,
  } as const;
  const handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    const request = { bytes: call.request, metadata: call.metadata };
    requests.push(request);
    const replied = reply(request);
    if (replied !== undefined && "bytes" in replied) answer(null, Buffer.from(replied.bytes));
    else if (replied !== undefined) answer(replied);
    arrivals.note();
  };
  server.addService({ export: definition }, { export: handler });
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) =>
    error === null ? bound.resolve(at) : bound.reject(error),
  );
  const stop = async () => server.forceShutdown();
  return { port: await bound.promise, requests, arrivals, stop };
}

export function grpcSuccess(rejectedSpans = 0, errorMessage = ""): GrpcReply {
  if (rejectedSpans === 0 && errorMessage === "") return { bytes: new Uint8Array(0) };
  const partialSuccess = { rejectedSpans, errorMessage };
  return { bytes: ExportTraceServiceResponse.encode({ partialSuccess }).finish() };
}

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

/**
 * Returns a failure with `google.rpc.Status` in the trailers, including a RetryInfo if there is a
 * delay.
 */
export function grpcFailure(code: status, details: string, afterMs?: number): GrpcReply {
  const metadata = new Metadata();
  const retryDelay = {
    seconds: Math.floor((afterMs ?? 0) / 1000),
    nanos: Math.round(((afterMs ?? 0) % 1000) * 1e6),
  };
  const value = google.rpc.RetryInfo.encode({ retryDelay }).finish();
  const info = afterMs === undefined ? [] : [{ typeUrl: RETRY_INFO, value }];
  const encoded = google.rpc.Status.encode({ code, message: details, details: info }).finish();
  metadata.set("grpc-status-details-bin", Buffer.from(encoded));
  return { code, details, metadata };
}
