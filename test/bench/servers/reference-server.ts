/**
 * A plain receiver of traces in its own process, for comparison or as an upstream:
 *
 *   bun reference-server.ts discard        answers, and does nothing with the bytes
 *   bun reference-server.ts decode         decodes them with protobufjs into an array of spans
 *   bun reference-server.ts discard-http   discards, but over HTTP; the former speak gRPC
 *   bun reference-server.ts discard-kafka  discards, as a broker of Apache Kafka with one topic
 *
 * It sends its port to its parent, and its counts on request; it ends when its parent ends.
 */
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import { EXPORT_PATH } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { serverOptions } from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { readConfig } from "../../../src/config/config.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { assert } from "../../../src/domain/assert.ts";

const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
type DecodedRequest = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
type DecodedSpan = opentelemetry.proto.trace.v1.Span;

export type ReferenceKind = "discard" | "decode" | "discard-http" | "discard-kafka";

/** Counts of successful responses since the start. */
export interface AnsweredCounts {
  readonly requests: number;
  /** 0 if requests are not decoded. */
  readonly spans: number;
}

/** A message to the parent: first the port, then counts after each message from the parent. */
export type ServerMessage = { readonly port: number } | AnsweredCounts;

/** The limits of the product, so that the two differ only in how they handle a request. */
const reading = readConfig({});
assert(reading.ok, "the defaults are a configuration");
const { limits, maxMessageBytes, buffer } = reading.config;

const NO_BYTES = Buffer.alloc(0);
const answered = { requests: 0, spans: 0 };
const fifo: DecodedSpan[] = [];

function discardRequest(_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
  answered.requests += 1;
  answer(null, NO_BYTES);
}

function keepRequest(
  { request }: ServerUnaryCall<DecodedRequest, Buffer>,
  answer: sendUnaryData<Buffer>,
) {
  const before = fifo.length;
  for (const { scopeSpans } of request.resourceSpans)
    for (const { spans } of scopeSpans) fifo.push(...spans);
  answered.requests += 1;
  answered.spans += fifo.length - before;
  // The oldest spans are removed in one piece, because `shift` would move the whole array for each.
  if (fifo.length > buffer.maxSpans) fifo.splice(0, fifo.length - buffer.maxSpans);
  answer(null, NO_BYTES);
}

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

function decode(bytes: Buffer): DecodedRequest {
  return ExportTraceServiceRequest.decode(bytes);
}

async function discardBody(request: Request): Promise<Response> {
  await request.bytes();
  answered.requests += 1;
  return new Response(NO_BYTES, { headers: { "Content-Type": "application/x-protobuf" } });
}

async function serve(kind: ReferenceKind): Promise<void> {
  if (kind === "discard-http") serveHttp();
  else if (kind === "discard-kafka") await serveKafka();
  else serveGrpc(kind);
}

const KAFKA_PARTITIONS = 4;

async function serveKafka(): Promise<void> {
  const script = { partitions: KAFKA_PARTITIONS, discards: true, produce: countBatch };
  const { port } = await startKafkaBroker(script);
  tellParent({ port });
}

function countBatch(): number {
  answered.requests += 1;
  return 0;
}

function serveHttp(): void {
  const { port } = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: discardBody });
  tellParent({ port: port! });
}

function serveGrpc(kind: "discard" | "decode"): void {
  const server = new Server(serverOptions(limits, maxMessageBytes));
  if (kind === "decode") server.register(EXPORT_PATH, keepRequest, sameBytes, decode, "unary");
  else server.register(EXPORT_PATH, discardRequest, sameBytes, sameBytes, "unary");
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    tellParent({ port });
  });
}

function tellParent(message: ServerMessage): void {
  process.send?.(message);
}

process.on("message", () => tellParent({ ...answered }));
process.on("disconnect", () => process.exit(0));
await serve(process.argv[2] as ReferenceKind);
