/** Describes a family of metrics: its type, its labels and its meaning. */
interface MetricFamily {
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
}

function counter(help: string, ...labels: string[]): MetricFamily {
  return { type: "counter", labels, help };
}

function gauge(help: string, ...labels: string[]): MetricFamily {
  return { type: "gauge", labels, help };
}

function histogram(help: string, ...labels: string[]): MetricFamily {
  return { type: "histogram", labels, help };
}

/**
 * Lists every metric. Each label has a few known values, and none that a peer can choose.
 * Sources: Prometheus, "Metric and label naming", and for the process "Writing client libraries".
 */
export const METRIC_FAMILIES = {
  spanring_build_info: gauge("Always 1; the version is a label.", "version"),

  spanring_spans_total: counter("The ledger, in spans, but for what is buffered.", "entry"),
  spanring_span_bytes_total: counter("The ledger, in bytes of encoded spans.", "entry"),
  spanring_buffered_spans: gauge("Spans in the buffer, or in flight from it."),
  spanring_buffered_span_bytes: gauge("Bytes of these spans, encoded."),
  spanring_capacity_spans: gauge("Spans that the buffer can hold."),
  spanring_used_bytes: gauge("Bytes of the capacity in use: spans, what is around them, gaps."),
  spanring_capacity_bytes: gauge("Bytes that the buffer can hold."),
  spanring_high_water: gauge("1 while FORWARD_HIGH_WATER is reached; only when forwarding."),
  spanring_restored_spans_total: counter("Spans that the stop before had left, of no protocol."),
  spanring_restored_span_bytes_total: counter("Bytes of these spans."),

  // Both entries, plus the restored spans, add up to all received spans.
  spanring_received_spans_total: counter(
    "Spans accepted or rejected, by protocol.",
    "protocol",
    "entry",
  ),
  spanring_received_span_bytes_total: counter("Bytes of these spans.", "protocol", "entry"),
  spanring_rejected_spans_total: counter(
    "Spans with this fault; one may have several.",
    "protocol",
    "reason",
  ),

  spanring_rejected_span_bytes_total: counter("Bytes of these spans.", "protocol", "reason"),

  spanring_requests_total: counter(
    "Trace requests, by outcome, and the status that it is answered with.",
    "protocol",
    "outcome",
    "status",
  ),
  spanring_received_bytes_total: counter(
    "Bytes of trace requests, decompressed, by outcome.",
    "protocol",
    "outcome",
  ),
  spanring_request_bytes: histogram("Size of trace requests, decompressed.", "protocol"),
  spanring_receive_seconds: histogram("Time to check a request and to put it in.", "protocol"),
  spanring_append_seconds: histogram("Time to put in one that was checked.", "protocol"),
  spanring_unsupported_requests_total: counter(
    "Requests of signals not kept.",
    "signal",
    "protocol",
  ),

  // The rate of `delivered` in the ledger is the speed of forwarding.
  spanring_forward_state: gauge("1 for what the upstream is, 0 for the others.", "state"),
  spanring_forward_retry_in_seconds: gauge("Until the next try; 0 when nothing waits for it."),
  spanring_forward_lag_seconds: gauge("Age of the oldest span that is not delivered yet."),
  spanring_forward_in_flight_batches: gauge("Batches that the upstream has not answered yet."),
  spanring_forward_in_flight_spans: gauge("Spans in these batches."),
  spanring_forward_batches_total: counter("Batches sent, by what became of them.", "outcome"),
  spanring_forward_retried_spans_total: counter("Spans sent, and kept to be sent again."),
  spanring_undeliverable_spans_total: counter("Spans that never arrive, by reason.", "reason"),

  spanring_problems_total: counter(
    "What was refused or discarded: requests, spans, connections. See /api/problems.",
    "protocol",
    "reason",
  ),

  spanring_in_flight_bytes: gauge("Bytes of requests that have begun and not ended."),
  spanring_grpc_connections: gauge("Open connections of OTLP/gRPC."),
  spanring_http_requests_in_flight: gauge("Requests of OTLP/HTTP under way."),

  spanring_api_requests_in_flight: gauge("Requests of the read API under way, this scrape too."),
  spanring_api_requests_total: counter("Requests of the read API, by status.", "status"),
  spanring_waits: gauge("Readers that wait for spans."),
  spanring_tails: gauge("Readers that follow spans."),
  spanring_answer_bytes: gauge("Bytes held for answers to readers that are not sent yet."),

  process_resident_memory_bytes: gauge("Resident memory."),
  process_cpu_seconds_total: counter("Processor time, user and system."),
  process_open_fds: gauge("Open file descriptors, where the system tells."),
  process_max_fds: gauge("File descriptors that may be open, where the system tells."),
  process_start_time_seconds: gauge("When the process started, in Unix time."),
} as const satisfies Record<string, MetricFamily>;

export type MetricName = keyof typeof METRIC_FAMILIES;

export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Names one of the series of a histogram. */
  readonly metricName?: string;
}

export type MetricValues = Readonly<Record<MetricName, readonly MetricValue[]>>;

/** Holds one scrape, as Prometheus reads it. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Returns all metrics in the text format 0.0.4. A library would look up labels for each count,
 * which costs more than the rest of a request; spanring counts by itself, so only this format is
 * left to do.
 *
 * Source: Prometheus, "Exposition formats".
 */
export function metricsPage(values: MetricValues): MetricsPage {
  const names = Object.keys(METRIC_FAMILIES) as MetricName[];
  const families = names.map((name) => familyText(name, values[name]));
  return { contentType: CONTENT_TYPE, text: families.join("\n") };
}

function familyText(name: MetricName, values: readonly MetricValue[]): string {
  const { help, type } = METRIC_FAMILIES[name];
  const samples = values.map(({ metricName = name, labels, value }) => {
    return `${metricName}${labelsText(labels)} ${value}`;
  });
  const head = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  return [...head, ...samples, ""].join("\n");
}

function labelsText(labels: MetricValue["labels"]): string {
  const pairs = Object.entries(labels).map(([label, value]) => {
    return `${label}="${escaped(value).replaceAll('"', String.raw`\"`)}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", String.raw`\\`).replaceAll("\n", String.raw`\n`);
}
