import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import type { ExportHeader } from "../../domain/text/export-headers.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import {
  failureOutcome,
  statusDetails,
  successOutcome,
  grpcVerdict,
} from "../otlp/upstream-status.ts";
import { MAX_RESPONSE_BYTES } from "../otlp/export-response.ts";
import { GrpcClient, type GrpcUpstream, MAX_ANSWER_BYTES } from "./grpc-client.ts";
import { SendsInFlight } from "./sends-in-flight.ts";
import { tlsHint } from "./connection-fault.ts";

const EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const ANSWER_TOO_LONG = new RegExp(`larger than max \\(\\d+ vs\\.? ${MAX_ANSWER_BYTES}\\)`);

export interface GrpcSinkParts extends GrpcUpstream {
  readonly headers: readonly ExportHeader[];
  readonly timeoutMs: number;
}

/** Sends the bytes of a batch unchanged, over one HTTP/2 connection. */
export class GrpcSink implements SpanSink {
  // Fixed at construction.
  private readonly parts: GrpcSinkParts;
  private readonly metadata: Metadata;
  private readonly sends = new SendsInFlight();

  // Moved by `doubtConnection`.
  private client: GrpcClient;

  constructor(parts: GrpcSinkParts) {
    this.parts = parts;
    this.metadata = metadataOf(parts.headers);
    this.client = new GrpcClient(parts);
  }

  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    return this.sends.run(cancelled, async (given) => {
      const end = await this.call(batch, given);
      if (isSilence(end)) this.doubtConnection(end.client);
      return outcomeOf(end, batch.spanCount, this.parts.tls !== undefined);
    });
  }

  async close(): Promise<void> {
    await this.sends.close();
    this.client.close();
  }

  private call({ request }: SpanBatch, cancelled: AbortSignal): Promise<CallEnd> {
    const { client, metadata, parts } = this;
    const options = { deadline: Date.now() + parts.timeoutMs };
    return exportOnce({ client, metadata, options, request, cancelled });
  }

  /**
   * Replaces the client after a call without a response: if the peer has vanished, its connection
   * looks intact for a quarter of an hour. Other calls on the old connection finish.
   */
  private doubtConnection(client: GrpcClient): void {
    if (client !== this.client) return;
    this.client = new GrpcClient(this.parts);
    client.close();
  }
}

function metadataOf(headers: readonly ExportHeader[]): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  return metadata;
}

interface Call {
  readonly client: GrpcClient;
  readonly metadata: Metadata;
  readonly options: { readonly deadline: number };
  readonly request: Uint8Array<ArrayBuffer>;
  readonly cancelled: AbortSignal;
}

interface CallEnd {
  readonly client: GrpcClient;
  /** Whether nearly all of the timeout, or all of it, had passed. */
  readonly isLate: boolean;
  readonly code: number;
  readonly details: string;
  readonly trailers: Metadata;
  readonly answer: Uint8Array;
}

/** The share of the timeout after which DEADLINE_EXCEEDED is taken to mean our own deadline. */
const LATE_SHARE = 0.75;

const sameBytes = (bytes: Buffer): Buffer => bytes;

/** Makes one call. Resolves whether it succeeds or fails; never rejects. */
function exportOnce({ client, metadata, options, request, cancelled }: Call): Promise<CallEnd> {
  const end = Promise.withResolvers<CallEnd>();
  const lateMs = options.deadline - (1 - LATE_SHARE) * (options.deadline - Date.now());
  const answered = (error: ServiceError | null, answer: Buffer = Buffer.alloc(0)): void => {
    cancelled.removeEventListener("abort", cancel);
    const { code = status.OK, details = "", metadata: trailers } = error ?? {};
    const isLate = Date.now() >= lateMs;
    end.resolve({ client, isLate, code, details, trailers: trailers ?? new Metadata(), answer });
  };
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const call = client.calls.makeUnaryRequest(
    EXPORT_PATH,
    sameBytes,
    sameBytes,
    bytes,
    metadata,
    options,
    answered,
  );
  const cancel = () => call.cancel();
  cancelled.addEventListener("abort", cancel, { once: true });
  return end.promise;
}

/** The end of a message of grpc-js about a connection, where it has nothing to add. */
const EMPTY_NOTE = /\. Resolution note: $/;

function outcomeOf(end: CallEnd, spanCount: number, isSecure: boolean): SendOutcome {
  const { code, details, trailers, answer } = end;
  if (ANSWER_TOO_LONG.test(details)) return { outcome: "delivered", message: TOO_LONG };
  const [encoded = Buffer.alloc(0)] = trailers.get("grpc-status-details-bin");
  const { mayRetry, retryAfterMs } = statusDetails({ bytes: Buffer.from(encoded), isJson: false });
  const verdict = grpcVerdict(code, details, mayRetry);
  if (verdict.outcome === "success") {
    return successOutcome({ bytes: answer, isJson: false }, spanCount);
  }
  const message = `${status[code] ?? code}: ${details.replace(EMPTY_NOTE, "")}`;
  const outcome = failureOutcome(verdict, message, retryAfterMs);
  if (outcome.outcome !== "retry") return outcome;
  const hint = isSecure ? tlsHint(details) : {};
  return { ...outcome, ...hint, ...(isTimeout(end) ? { isTimeout: true } : {}) };
}

/**
 * Reports whether our deadline has passed. An upstream may answer DEADLINE_EXCEEDED early, when
 * another server kept it waiting; that is no timeout of ours. An upstream that observes our
 * deadline may answer so just before grpc-js does.
 */
function isTimeout({ code, isLate }: CallEnd): boolean {
  return code === status.DEADLINE_EXCEEDED && isLate;
}

/** Reports whether the peer did not respond at all. Matches the message of grpc-js for that. */
function isSilence({ code, details }: CallEnd): boolean {
  return code === status.DEADLINE_EXCEEDED && details.startsWith("Deadline exceeded after ");
}

/** A message for a success: in gRPC, only a successful call has a response message. */
const TOO_LONG = `its response is longer than ${MAX_RESPONSE_BYTES} bytes, and was not read`;
