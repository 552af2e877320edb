import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { FileSink } from "../../../src/adapters/forward/file-sink.ts";
import type { RotatingFileParts } from "../../../src/adapters/forward/rotating-file.ts";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";
import type { FileFormat } from "../../../src/domain/text/file-format.ts";
import { HttpSink, type HttpSinkParts } from "../../../src/adapters/forward/http-sink.ts";
import { GrpcSink, type GrpcSinkParts } from "../../../src/adapters/forward/grpc-sink.ts";
import { quotePeerText, SecretText } from "../../../src/domain/text/quote-text.ts";
import type { SendOutcome, SpanSink } from "../../../src/ports/span-sink.ts";
import type { SinkAndUpstream, UpstreamAnswer } from "../../contract/span-sink.ts";
import { ArrivalsCount } from "./arrivals-count.ts";
import { FakeSink } from "../fakes/fake-sink.ts";
import { type HttpUpstream, startHttpUpstream } from "./http-upstream.ts";
import { exportFailure, exportSuccess } from "./otlp-receiver.ts";
import {
  grpcFailure,
  type GrpcReply,
  grpcSuccess,
  type GrpcUpstream,
  startGrpcUpstream,
} from "./grpc-upstream.ts";

// The subjects of the contract of sinks: each sink with an upstream that responds as the suite
// chooses.

export async function fakeSinkAndUpstream(answer: UpstreamAnswer): Promise<SinkAndUpstream> {
  const arrivals = new ArrivalsCount();
  const sink = new FakeSink((batch) => {
    arrivals.note();
    return fakeOutcome(answer, batch.spanCount);
  });
  const { answer: usual } = sink;
  const goAway = async () => {
    sink.answer = () => ({ outcome: "retry", message: "nobody is there" });
    for (const { settle } of sink.held.slice()) settle({ outcome: "retry", message: "it died" });
  };
  return {
    sink,
    received: async () => sink.sent.map(({ request }) => request),
    arrived: (count) => arrivals.reached(count),
    goAway,
    comeBack: async () => void (sink.answer = usual),
    stop: async () => {},
  };
}

function fakeOutcome(answer: UpstreamAnswer, spanCount: number): SendOutcome | "held" {
  switch (answer.kind) {
    case "accept":
      return successOf(0, answer.warning ?? "", spanCount);
    case "reject":
      return successOf(answer.rejectedSpans, answer.message, spanCount);
    case "busy": {
      const { kind: _, ...rest } = answer;
      return { outcome: "retry", ...rest };
    }
    case "too_large":
      return { outcome: "too_large", message: answer.message };
    case "invalid":
      return { outcome: "refused", reason: "invalid", message: answer.message };
    case "silent":
      return answer.timeoutMs === undefined ? "held" : LATE;
  }
}

const LATE: SendOutcome = { outcome: "retry", message: "no answer in time", isTimeout: true };

/** Returns the time limit of a sink. */
function patience(answer: UpstreamAnswer): { readonly timeoutMs: number } {
  return { timeoutMs: (answer.kind === "silent" ? answer.timeoutMs : undefined) ?? 60_000 };
}

function successOf(rejectedSpans: number, said: string, spanCount: number): SendOutcome {
  const message = quotePeerText(said);
  const clamped = Math.min(rejectedSpans, spanCount);
  if (clamped > 0) return { outcome: "partly_rejected", rejectedSpans: clamped, message };
  return message === "" ? { outcome: "delivered" } : { outcome: "delivered", message };
}

export const GRPC_PARTS: Omit<GrpcSinkParts, "port"> = {
  host: "127.0.0.1",
  tls: undefined,
  headers: [],
  compression: "gzip",
  timeoutMs: 60_000,
  userAgent: "spanring-test/1",
};

export async function grpcSinkAndUpstream(answer: UpstreamAnswer): Promise<SinkAndUpstream> {
  const reply = () => grpcReply(answer);
  const upstream = await startGrpcUpstream(reply);
  const { port } = upstream;
  const sink = new GrpcSink({ ...GRPC_PARTS, ...patience(answer), port });
  return withUpstream(sink, upstream, () => startGrpcUpstream(reply, { port }));
}

type Upstream = Pick<HttpUpstream | GrpcUpstream, "requests" | "arrivals" | "stop">;

/** Returns a sink with its upstream, which another one on the same port replaces. */
function withUpstream(
  sink: SpanSink,
  first: Upstream,
  startAgain: () => Upstream | Promise<Upstream>,
): SinkAndUpstream {
  let upstream = first;
  const all = [upstream];
  return {
    sink,
    received: async () => all.flatMap(({ requests }) => requests.map(({ bytes }) => bytes)),
    arrived: (count) => upstream.arrivals.reached(count),
    goAway: () => upstream.stop(),
    comeBack: async () => {
      upstream = await startAgain();
      all.push(upstream);
    },
    stop: () => upstream.stop(),
  };
}

function grpcReply(answer: UpstreamAnswer): GrpcReply {
  switch (answer.kind) {
    case "accept":
      return grpcSuccess(0, answer.warning);
    case "reject":
      return grpcSuccess(answer.rejectedSpans, answer.message);
    case "busy":
      return grpcFailure(status.UNAVAILABLE, answer.message, answer.afterMs);
    case "too_large":
      return grpcFailure(status.RESOURCE_EXHAUSTED, answer.message);
    case "invalid":
      return grpcFailure(status.INVALID_ARGUMENT, answer.message);
    case "silent":
      return undefined;
  }
}

export const HTTP_PARTS: Omit<HttpSinkParts, "url"> = {
  tls: undefined,
  headers: [],
  compression: "gzip",
  timeoutMs: 60_000,
  clock: SYSTEM_CLOCK,
  userAgent: "spanring-test/1",
};

export async function httpSinkAndUpstream(answer: UpstreamAnswer): Promise<SinkAndUpstream> {
  const reply = () => httpReply(answer);
  const upstream = startHttpUpstream(reply);
  const { port } = upstream;
  const url = new SecretText(`http://127.0.0.1:${port}/v1/traces`);
  const sink = new HttpSink({ ...HTTP_PARTS, ...patience(answer), url });
  return withUpstream(sink, upstream, () => startHttpUpstream(reply, { port }));
}

const PROTOBUF = "application/x-protobuf";

function httpReply(answer: UpstreamAnswer): Response | undefined {
  switch (answer.kind) {
    case "accept":
      return exportSuccess(PROTOBUF, 0, answer.warning);
    case "reject":
      return exportSuccess(PROTOBUF, answer.rejectedSpans, answer.message);
    case "busy": {
      const { message, afterMs } = answer;
      const retryAfter = afterMs === undefined ? "" : String(afterMs / 1000);
      return exportFailure(503, message, { retryAfter });
    }
    case "too_large":
      return exportFailure(413, answer.message);
    case "invalid":
      return exportFailure(400, answer.message);
    case "silent":
      return undefined;
  }
}

export const FILE_PARTS: Omit<RotatingFileParts, "path" | "format"> = {
  maxBytes: 100 * 1024 * 1024,
  maxAgeMs: 0,
  keep: 10,
  fsync: "never",
  nowMs: () => Date.now(),
};

/** Returns a file sink in its own new folder, which is moved away while the upstream is down. */
export function fileSinkAndUpstream(folder: string, format: FileFormat): SinkAndUpstream {
  const path = join(folder, `spans.${format === "json" ? "jsonl" : "binpb"}`);
  const sink = new FileSink({ ...FILE_PARTS, path, format });
  return {
    sink,
    received: () => requestsInFile(path),
    arrived: () => Promise.reject(new Error("a file does not keep a batch waiting")),
    goAway: async () => renameSync(folder, `${folder}-away`),
    comeBack: async () => renameSync(`${folder}-away`, folder),
    stop: async () => {},
  };
}

/**
 * Returns the requests in a file as protobuf, whatever its format. Throws if the file is
 * incomplete.
 */
export async function requestsInFile(path: string): Promise<Uint8Array[]> {
  if (!existsSync(path)) return [];
  const items = await Array.fromAsync(readRequests(Bun.file(path).stream()));
  return items.map((item) => {
    if (!("bytes" in item)) throw new Error(JSON.stringify(item));
    return item.contentType === "application/json" ? asProtobuf(item.bytes) : item.bytes;
  });
}

function asProtobuf(json: Uint8Array): Uint8Array {
  const reading = requestFromJson(json, { nestingDepth: 100 });
  if (!reading.ok) throw new Error(JSON.stringify(reading));
  return reading.request;
}
