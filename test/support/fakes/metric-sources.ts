import type { MetricSources } from "../../../src/adapters/metrics/metric-values.ts";
import type { LogStats } from "../../../src/application/log/span-log.ts";
import { CountedReceiver } from "../../../src/application/receiving/counted-receiver.ts";
import { ReceiveTraces } from "../../../src/application/receiving/receive-traces.ts";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { forwardStatus } from "./forward-status.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { request, requestOf, resourceSpans, span, spanBody } from "../requests/request-bytes.ts";
import { searchedRing } from "../running/searched-ring.ts";
import { bytesField } from "../requests/wire-bytes.ts";

/** Returns the state of a log on a disk that works. */
export function logStats(): LogStats {
  const { spans, bytes, sequence } = searchedRing({ spans: 3, bytes: 1 << 16 }).buffer.stats();
  const disk = { usedBytes: 0, maxBytes: 1 };
  const state = { isWritable: true, failure: undefined, isRefusing: false, isMemoryOnly: false };
  return { spans, bytes, sequence, oldestUnixMs: 0, disk, segments: 1, queuedBytes: 0, ...state };
}

const bad = bytesField(2, bytesField(5, "no identifiers"));

/** Returns the metrics of a server with no number at zero, always the same. */
export function metricSources(parts: Partial<MetricSources> = {}): MetricSources {
  const { buffer } = searchedRing({ spans: 3, bytes: 1 << 16 });
  const logger = new RecordingLogger();
  const clock = { monotonicMs: () => 0 };
  const limits = { spansPerRequest: 10, nestingDepth: 10 };
  const receiver = new ReceiveTraces({ buffer, limits, logger, clock });
  const [grpc, json] = [1, 2].map(
    () => new CountedReceiver({ receiver, clock, evicted: () => {} }),
  );
  grpc!.receive(requestOf(4));
  grpc!.receive(request(resourceSpans("shop", span(1), bad)));
  json!.receive(requestOf(1, 9));
  receiver.receive(requestOf(1, 40));
  json!.receive(new Uint8Array(70_000).fill(0xff));
  buffer.take(1);
  const unsupported = new UnsupportedSignals();
  unsupported.receive({ signal: "logs", protocol: "http", items: 3 });
  return {
    version: '1.0 "quoted\\"\n',
    stats: () => ({ ...buffer.stats(), spilled: { spans: 1, bytes: 34 } }),
    usedBytes: () => 106,
    restored: { spans: 1, bytes: spanBody(40).length },
    disk: () => ({
      ...logStats(),
      disk: { usedBytes: 30, maxBytes: 31 },
      segments: 32,
      queuedBytes: 33,
      failure: "no space",
    }),
    highWater: () => true,
    receivers: { grpc: grpc!, "http/json": json! },
    unsupported,
    problems: () => [
      { protocol: "grpc", reason: "too_large", count: 18, detail: "", hint: "" },
      { protocol: "http", reason: "malformed", count: 0, detail: "", hint: "" },
    ],
    inFlightBytes: () => 17,
    grpc: () => ({ openConnections: 2, acceptedConnections: 16 }),
    http: () => ({ requestsInFlight: 4 }),
    api: () => ({
      requestsInFlight: 10,
      waits: 11,
      tails: 12,
      answerBytes: 13,
      requestsByStatus: { 200: 14, 503: 15 },
    }),
    forward: () => forwardStatus(),
    process: () => ({
      residentBytes: 6,
      cpuSeconds: 7.5,
      startUnixSeconds: 8,
      openFds: 9,
      maxFds: 20,
    }),
    ...parts,
  };
}
