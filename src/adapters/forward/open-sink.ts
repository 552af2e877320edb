import type { ForwardConfig, Mistake } from "../../config/config.ts";
import { assert } from "../../domain/assert.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink, SpanSink } from "../../ports/span-sink.ts";
import { ConcealingSink, secretsOf } from "./concealing-sink.ts";
import { HttpSink, startFetchThread } from "./http-sink.ts";
import { FileSink } from "./file-sink.ts";
import {
  type ForwardFiles,
  forwardPaths,
  parseForwardFiles,
  saslSecrets,
} from "./forward-files.ts";
import { loadFiles } from "../listening/reloaded-files.ts";
import { GrpcSink } from "./grpc-sink.ts";
import { openKafkaSink } from "./open-kafka-sink.ts";
import type { KafkaClient } from "./kafka-client.js";
import { ReloadingSink } from "./reloading-sink.ts";

export interface SinkParts {
  readonly forward: ForwardConfig;
  readonly version: string;
  /** Returns the current Unix time. */
  readonly nowMs: () => number;
  readonly clock: TimerClock;
  readonly logger: Logger;
  /** Loads the Kafka client. Default: the one in the executable, at once. */
  readonly loadKafka?: () => Promise<KafkaClient>;
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
  const make = (given: ForwardFiles) => {
    const secrets = [...given.headers, ...saslSecrets(given)];
    return new ConcealingSink(makeSink(parts, given), secretsOf(secrets, urlOf(forward)));
  };
  return { ok: true, sink: new ReloadingSink({ ...parts, make }, { contents, files }) };
}

function urlOf({ endpoint }: ForwardConfig): string {
  return endpoint.protocol === "http/protobuf" ? endpoint.url.reveal() : "";
}

function makeSink(parts: SinkParts, files: ForwardFiles): SpanSink {
  const isKafka = parts.forward.endpoint.protocol === "kafka";
  return isKafka ? openKafkaSink(parts, files) : makeOtlpSink(parts, files);
}

function makeOtlpSink(
  { forward, version, nowMs, clock }: SinkParts,
  files: ForwardFiles,
): SpanSink {
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
