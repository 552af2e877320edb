import type { ForwardConfig, Mistake } from "../../config/config.ts";
import { assert } from "../../domain/assert.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink, SpanSink } from "../../ports/span-sink.ts";
import type { ExportHeader } from "../../domain/text/export-headers.ts";
import { ConcealingSink, secretsOf } from "./concealing-sink.ts";
import { HttpSink, startFetchThread } from "./http-sink.ts";
import { FileSink } from "./file-sink.ts";
import { type ForwardFiles, forwardPaths, parseForwardFiles } from "./forward-files.ts";
import { loadFiles } from "../listening/reloaded-files.ts";
import { GrpcSink } from "./grpc-sink.ts";
import { KafkaSink } from "./kafka-sink.ts";
import type { KafkaClient } from "./kafka-client.js";
import { ReloadingSink } from "./reloading-sink.ts";

export interface SinkParts {
  readonly forward: ForwardConfig;
  readonly version: string;
  /** Returns the current Unix time. */
  readonly nowMs: () => number;
  readonly clock: TimerClock;
  readonly logger: Logger;
}

export type SinkOpening =
  | { readonly ok: true; readonly sink: ReloadableSink }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Opens the sink that the configuration selects. It connects when the first batch is sent. */
export async function openSpanSink(parts: SinkParts): Promise<SinkOpening> {
  const { forward } = parts;
  const contents = await loadFiles(forwardPaths(forward));
  const files = parseForwardFiles(forward, contents);
  if ("mistakes" in files) return { ok: false, mistakes: files.mistakes };
  if (forward.endpoint.protocol === "http/protobuf") await startFetchThread();
  const sinkOf = await sinkMaker(parts);
  const make = (given: ForwardFiles) => {
    const secrets = [...given.headers, ...saslSecrets(given)];
    return new ConcealingSink(sinkOf(given), secretsOf(secrets, urlOf(forward)));
  };
  return { ok: true, sink: new ReloadingSink({ ...parts, make }, { contents, files }) };
}

function urlOf({ endpoint }: ForwardConfig): string {
  return endpoint.protocol === "http/protobuf" ? endpoint.url.reveal() : "";
}

function saslSecrets({ sasl }: ForwardFiles): readonly ExportHeader[] {
  if (sasl === undefined) return [];
  return [["sasl", sasl.mechanism === "OAUTHBEARER" ? sasl.token : sasl.password]];
}

/** Loads the client of Kafka only if it is needed, because that takes longer than a start may. */
async function sinkMaker(parts: SinkParts): Promise<(files: ForwardFiles) => SpanSink> {
  if (parts.forward.endpoint.protocol !== "kafka") return (files) => makeSink(parts, files);
  const client = await import("./kafka-client.js");
  return (files) => makeKafkaSink(parts, files, client);
}

function makeKafkaSink(
  { forward, clock }: SinkParts,
  { headers, tls, sasl }: ForwardFiles,
  client: KafkaClient,
): SpanSink {
  const { endpoint, compression, timeoutMs, kafkaKey: key } = forward;
  assert(endpoint.protocol === "kafka", "only an endpoint of Kafka has this client");
  const secured = endpoint.isSecure ? tls : undefined;
  const parts = { client, endpoint, tls: secured, sasl, headers, compression, timeoutMs, clock };
  return new KafkaSink({ ...parts, key });
}

function makeSink({ forward, version, nowMs, clock }: SinkParts, files: ForwardFiles): SpanSink {
  const { endpoint, compression, timeoutMs } = forward;
  assert(endpoint.protocol !== "kafka", "the sink of Kafka needs its client");
  if (endpoint.protocol === "file") {
    const { path, format } = endpoint;
    assert(format !== undefined, "the configuration refuses a file name without a known format");
    return new FileSink({ path, format, nowMs, ...forward.file });
  }
  const { headers } = files;
  const tls = endpoint.isSecure ? files.tls : undefined;
  const parts = { tls, headers, timeoutMs, userAgent: `spanring/${version}` };
  if (endpoint.protocol === "http/protobuf") {
    const { url, socketPath } = endpoint;
    assert(compression !== "snappy" && compression !== "lz4", "only Kafka supports these");
    return new HttpSink({ ...parts, clock, url, socketPath, compression });
  }
  const { host, port, socketPath } = endpoint;
  // The configuration rejects zstd over gRPC.
  return new GrpcSink({
    ...parts,
    host,
    port,
    socketPath,
    compression: compression === "none" ? "none" : "gzip",
  });
}
