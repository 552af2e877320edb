import type { CountedReceiver, Histogram } from "../../application/receiving/counted-receiver.ts";
import {
  type ForwardStatus,
  UPSTREAM_STATES,
} from "../../application/forwarding/forward-status.ts";
import type { LogStats } from "../../application/log/span-log.ts";
import type { ProblemTotal } from "../../application/receiving/problem-registry.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import type { BufferStats, Ledger, SpanAmount } from "../../domain/ledger.ts";
import { FAULT_NAMES } from "../../domain/span-validity.ts";
import { GRPC_CODE, type Outcome, STATUS_TABLE } from "../otlp/status-table.ts";
import type { MetricName, MetricValue, MetricValues } from "./metrics-page.ts";
import type { ProcessFigures } from "./process-figures.ts";

/** The sources of the numbers, read at each scrape. A part that does not run has none. */
export interface MetricSources {
  readonly version: string;
  readonly stats: () => BufferStats;
  readonly usedBytes: () => number;
  /** Spans that were restored at the start. */
  readonly restored: SpanAmount;
  /** Undefined if the spans are in memory only. */
  readonly disk: () => LogStats | undefined;
  /** Undefined unless spans are forwarded. */
  readonly highWater: () => boolean | undefined;
  /** Receivers by protocol, as OTLP spells it. */
  readonly receivers: Readonly<Record<string, CountedReceiver>>;
  readonly unsupported: UnsupportedSignals | undefined;
  readonly problems: () => readonly ProblemTotal[];
  readonly inFlightBytes: () => number;
  readonly grpc: () => GrpcCounts | undefined;
  readonly http: () => HttpCounts | undefined;
  readonly api: () => ApiCounts | undefined;
  readonly forward: () => ForwardStatus | undefined;
  readonly process: () => ProcessFigures;
}

export interface GrpcCounts {
  readonly openConnections: number;
  readonly acceptedConnections: number;
}

export interface HttpCounts {
  readonly requestsInFlight: number;
}

export interface ApiCounts {
  readonly requestsInFlight: number;
  readonly waits: number;
  readonly tails: number;
  readonly answerBytes: number;
  readonly requestsByStatus: Readonly<Record<string, number>>;
}

/** Returns all values. Those of the ledger are from the same instant. */
export function metricValues(sources: MetricSources): MetricValues {
  const stats = sources.stats();
  const { spans, bytes, capacity } = stats;
  const figures = sources.process();
  return {
    spanring_build_info: one(1, { version: sources.version }),
    spanring_spans_total: ledger(spans),
    spanring_span_bytes_total: ledger(bytes),
    spanring_buffered_spans: one(spans.buffered),
    spanring_buffered_span_bytes: one(bytes.buffered),
    spanring_capacity_spans: one(capacity.spans),
    spanring_used_bytes: one(sources.usedBytes()),
    spanring_capacity_bytes: one(capacity.bytes),
    spanring_high_water: flag(sources.highWater()),
    spanring_restored_spans_total: one(sources.restored.spans),
    spanring_restored_span_bytes_total: one(sources.restored.bytes),
    ...onDisk(sources.disk(), stats),
    ...received(sources),
    ...forwarding(sources.forward()),
    spanring_problems_total: sources.problems().map(({ protocol, reason, count: value }) => {
      return { labels: { protocol, reason }, value };
    }),
    ...listeners(sources),
    ...readers(sources.api()),
    process_resident_memory_bytes: maybe(figures.residentBytes),
    process_cpu_seconds_total: one(figures.cpuSeconds),
    process_open_fds: maybe(figures.openFds),
    process_max_fds: maybe(figures.maxFds),
    process_start_time_seconds: one(figures.startUnixSeconds),
  };
}

function onDisk(stats: LogStats | undefined, { spans, bytes, spilled }: BufferStats) {
  return {
    spanring_disk_used_bytes: maybe(stats?.disk.usedBytes),
    spanring_disk_capacity_bytes: maybe(stats?.disk.maxBytes),
    spanring_disk_segments: maybe(stats?.segments),
    spanring_disk_queued_bytes: maybe(stats?.queuedBytes),
    spanring_memory_spans: maybe(spilled && spans.buffered - spilled.spans),
    spanring_memory_span_bytes: maybe(spilled && bytes.buffered - spilled.bytes),
    spanring_disk_only_spans: maybe(spilled?.spans),
    spanring_disk_only_span_bytes: maybe(spilled?.bytes),
    spanring_memory_only_spans: maybe(stats && spans.buffered - stats.spans.buffered),
    spanring_memory_only_span_bytes: maybe(stats && bytes.buffered - stats.bytes.buffered),
    spanring_disk_failing: flag(stats && stats.failure !== undefined),
  };
}

type Each = readonly { readonly protocol: string; readonly receiver: CountedReceiver }[];

function received({ receivers, unsupported }: MetricSources) {
  const each = Object.entries(receivers).map(([protocol, receiver]) => ({ protocol, receiver }));
  return {
    ...receivedSpans(each),
    ...receivedRequests(each),
    spanring_unsupported_requests_total: Object.entries(unsupported?.counts ?? {}).flatMap(
      ([signal, counts]) => counted(counts, "protocol", { signal }),
    ),
  };
}

function receivedSpans(each: Each) {
  return {
    spanring_received_spans_total: each.flatMap(({ protocol, receiver: { total } }) => {
      const { acceptedSpans: accepted, rejectedSpans: rejected } = total;
      return counted({ accepted, rejected }, "entry", { protocol });
    }),
    spanring_received_span_bytes_total: each.flatMap(({ protocol, receiver: { total } }) => {
      const { acceptedBytes: accepted, rejectedBytes: rejected } = total;
      return counted({ accepted, rejected }, "entry", { protocol });
    }),
    spanring_rejected_spans_total: each.flatMap(({ protocol, receiver: { total } }) =>
      byReason(total.rejectedByFault, protocol),
    ),
    spanring_rejected_span_bytes_total: each.flatMap(({ protocol, receiver: { total } }) =>
      byReason(total.rejectedBytesByFault, protocol),
    ),
  };
}

function receivedRequests(each: Each) {
  const histogram = (name: MetricName, of: (receiver: CountedReceiver) => Histogram) =>
    each.flatMap(({ protocol, receiver }) => series(name, of(receiver), protocol));
  return {
    spanring_requests_total: each.flatMap(({ protocol, receiver }) =>
      byStatus(receiver.requests, protocol),
    ),
    spanring_received_bytes_total: each.flatMap(({ protocol, receiver }) =>
      counted(receiver.bytesByOutcome, "outcome", { protocol }),
    ),
    spanring_request_bytes: histogram("spanring_request_bytes", (of) => of.requestBytes),
    spanring_receive_seconds: histogram("spanring_receive_seconds", (of) => of.receiveSeconds),
    spanring_append_seconds: histogram("spanring_append_seconds", (of) => of.appendSeconds),
  };
}

function byReason(countByFault: Float64Array, protocol: string): MetricValue[] {
  return FAULT_NAMES.map((reason, fault) => {
    return { labels: { protocol, reason }, value: countByFault[fault]! };
  });
}

/** Returns requests by outcome and status. Each outcome has one status, which adds no series. */
function byStatus(counts: CountedReceiver["requests"], protocol: string): MetricValue[] {
  return Object.entries(counts).map(([outcome, value]) => {
    const status = statusOf(outcome as keyof typeof counts, protocol);
    return { labels: { protocol, outcome, status }, value };
  });
}

function statusOf(outcome: Outcome, protocol: string): string {
  if (protocol !== "grpc") return httpStatusOf(outcome);
  const { grpcCode } = STATUS_TABLE[outcome];
  return Object.entries(GRPC_CODE).find(([, code]) => code === grpcCode)![0];
}

function httpStatusOf(outcome: Outcome): string {
  return String(STATUS_TABLE[outcome].httpStatus);
}

function forwarding(status: ForwardStatus | undefined) {
  const { figures } = status ?? {};
  return {
    spanring_forward_state: status === undefined ? [] : states(status),
    spanring_forward_retry_in_seconds: maybe(seconds(status?.pauseLeftMs)),
    spanring_forward_lag_seconds: maybe(seconds(status?.lagMs)),
    spanring_forward_in_flight_batches: maybe(figures?.inFlightBatches),
    spanring_forward_in_flight_spans: maybe(figures?.inFlightSpans),
    spanring_forward_batches_total: counted(figures?.batches ?? {}, "outcome"),
    spanring_forward_retried_spans_total: maybe(figures?.retriedSpans),
    spanring_undeliverable_spans_total: counted(figures?.undeliverableSpans ?? {}, "reason"),
  };
}

function states({ state }: ForwardStatus): MetricValue[] {
  const entries = UPSTREAM_STATES.map((each) => [each, each === state ? 1 : 0]);
  return counted(Object.fromEntries(entries), "state");
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function listeners({ inFlightBytes, grpc, http }: MetricSources) {
  const [grpcCounts, httpCounts] = [grpc(), http()];
  return {
    spanring_in_flight_bytes: one(inFlightBytes()),
    spanring_grpc_connections: maybe(grpcCounts?.openConnections),
    spanring_grpc_connections_total: maybe(grpcCounts?.acceptedConnections),
    spanring_http_requests_in_flight: maybe(httpCounts?.requestsInFlight),
  };
}

function readers(counts: ApiCounts | undefined) {
  return {
    spanring_api_requests_in_flight: maybe(counts?.requestsInFlight),
    spanring_api_requests_total: counted(counts?.requestsByStatus ?? {}, "status"),
    spanring_waits: maybe(counts?.waits),
    spanring_tails: maybe(counts?.tails),
    spanring_answer_bytes: maybe(counts?.answerBytes),
  };
}

function one(value: number, labels: MetricValue["labels"] = {}): MetricValue[] {
  return [{ value, labels }];
}

function maybe(value: number | undefined): MetricValue[] {
  return value === undefined ? [] : one(value);
}

function flag(value: boolean | undefined): MetricValue[] {
  return value === undefined ? [] : one(value ? 1 : 0);
}

/** Returns the counters of a ledger, without the buffered spans, which are a gauge. */
function ledger(amounts: Ledger): MetricValue[] {
  const { received: all, rejected, accepted, taken, delivered, evicted, undeliverable } = amounts;
  const entries = { received: all, rejected, accepted, taken, delivered, evicted, undeliverable };
  return counted(entries, "entry");
}

function counted(
  counts: Readonly<Record<string, number>>,
  label: string,
  others: MetricValue["labels"] = {},
): MetricValue[] {
  return Object.entries(counts).map(([name, value]) => {
    return { labels: { ...others, [label]: name }, value };
  });
}

/** Returns the series of a histogram. Each bucket counts all values up to its bound. */
function series(name: MetricName, histogram: Histogram, protocol: string) {
  const { bounds, counts } = histogram;
  let count = 0;
  const buckets = [...bounds.map(String), "+Inf"].map((le, index) => {
    count += counts[index]!;
    return { metricName: `${name}_bucket`, labels: { protocol, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { protocol }, value: histogram.sum },
    { metricName: `${name}_count`, labels: { protocol }, value: count },
  ];
}
