/** Describes a metric family: its type, its labels and its meaning. */
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

  spanring_spans_total: counter(
    "Spans by ledger entry; buffered spans have a gauge of their own.",
    "entry",
  ),
  spanring_span_bytes_total: counter(
    "Encoded size of spans in bytes, by ledger entry; buffered spans have a gauge of their own.",
    "entry",
  ),
  spanring_buffered_spans: gauge("Spans in the buffer, including those in flight to the upstream."),
  spanring_buffered_span_bytes: gauge("Encoded size of buffered spans in bytes."),
  spanring_capacity_spans: gauge("Capacity of the buffer in spans."),
  spanring_used_bytes: gauge(
    "Bytes of the capacity in use: spans, their resources and scopes, and gaps.",
  ),
  spanring_capacity_bytes: gauge("Capacity of the buffer in bytes."),
  spanring_high_water: gauge(
    "1 while FORWARD_HIGH_WATER is reached, else 0; only with forwarding.",
  ),
  spanring_restored_spans_total: counter(
    "Spans restored at the start; the counters by protocol do not include them.",
  ),
  spanring_restored_span_bytes_total: counter("Encoded size of restored spans in bytes."),
  spanring_disk_used_bytes: gauge("Size of the log on disk in bytes; only with DATA_DIR."),
  spanring_disk_capacity_bytes: gauge("Maximum size of the log on disk in bytes."),
  spanring_disk_segments: gauge("Files of the log on disk."),
  spanring_disk_queued_bytes: gauge("Size of the requests that wait for the disk, in bytes."),
  spanring_memory_spans: gauge("Buffered spans in memory; only with DATA_DIR."),
  spanring_memory_span_bytes: gauge("Encoded size of the buffered spans in memory."),
  spanring_disk_only_spans: gauge("Buffered spans that are on disk only; only with DATA_DIR."),
  spanring_disk_only_span_bytes: gauge("Encoded size of the buffered spans that are on disk only."),
  spanring_memory_only_spans: gauge(
    "Buffered spans that are in memory only, and that a crash loses; only with DATA_DIR.",
  ),
  spanring_memory_only_span_bytes: gauge(
    "Encoded size of the buffered spans that are in memory only.",
  ),
  spanring_disk_failing: gauge("1 while the log cannot be written, else 0; only with DATA_DIR."),

  // Both entries, plus the restored spans, add up to all received spans.
  spanring_received_spans_total: counter(
    "Spans received, by protocol, accepted or rejected.",
    "protocol",
    "entry",
  ),
  spanring_received_span_bytes_total: counter(
    "Encoded size of received spans in bytes.",
    "protocol",
    "entry",
  ),
  spanring_rejected_spans_total: counter(
    "Spans rejected, by reason; a span may have several reasons.",
    "protocol",
    "reason",
  ),
  spanring_rejected_span_bytes_total: counter(
    "Encoded size of rejected spans in bytes.",
    "protocol",
    "reason",
  ),

  spanring_requests_total: counter(
    "Trace requests, by outcome and response status.",
    "protocol",
    "outcome",
    "status",
  ),
  spanring_received_bytes_total: counter(
    "Decompressed size of trace requests in bytes, by outcome.",
    "protocol",
    "outcome",
  ),
  spanring_request_bytes: histogram("Decompressed size of a trace request in bytes.", "protocol"),
  spanring_receive_seconds: histogram("Time to validate and store a request.", "protocol"),
  spanring_append_seconds: histogram("Time to store a validated request.", "protocol"),
  spanring_unsupported_requests_total: counter(
    "Requests with unsupported signals, which were discarded.",
    "signal",
    "protocol",
  ),

  // The rate of `delivered` in the ledger is the speed of forwarding.
  spanring_forward_state: gauge("1 for the current state of the upstream, 0 for others.", "state"),
  spanring_forward_retry_in_seconds: gauge(
    "Time until the next attempt; 0 unless forwarding is paused.",
  ),
  spanring_forward_lag_seconds: gauge("Age of the oldest span that has not been delivered."),
  spanring_forward_in_flight_batches: gauge("Batches awaiting a response from the upstream."),
  spanring_forward_in_flight_spans: gauge("Spans awaiting a response from the upstream."),
  spanring_forward_batches_total: counter("Batches sent, by outcome.", "outcome"),
  spanring_forward_retried_spans_total: counter(
    "Spans of failed attempts, counted once per attempt.",
  ),
  spanring_undeliverable_spans_total: counter(
    "Spans that will never be delivered, by reason.",
    "reason",
  ),

  spanring_problems_total: counter(
    "Requests, spans and connections refused or discarded; see /api/problems.",
    "protocol",
    "reason",
  ),

  spanring_in_flight_bytes: gauge("Bytes of requests in flight."),
  spanring_grpc_connections: gauge("Open OTLP/gRPC connections."),
  spanring_grpc_connections_total: counter("OTLP/gRPC connections accepted."),
  spanring_http_requests_in_flight: gauge("OTLP/HTTP requests in flight."),

  spanring_api_requests_in_flight: gauge("Read API requests in flight, including this scrape."),
  spanring_api_requests_total: counter("Read API requests, by status.", "status"),
  spanring_waits: gauge("Waits in progress."),
  spanring_tails: gauge("Tails in progress."),
  spanring_answer_bytes: gauge("Bytes held by responses that are not completely sent."),

  process_resident_memory_bytes: gauge("Resident memory in bytes."),
  process_cpu_seconds_total: counter("User and system CPU time in seconds."),
  process_open_fds: gauge("Number of open file descriptors, where the system reports it."),
  process_max_fds: gauge("Maximum number of open file descriptors, where the system reports it."),
  process_start_time_seconds: gauge("Start time of the process, in Unix seconds."),
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
 * Returns all metrics in the text format 0.0.4. A client library would look up labels for each
 * count, which costs more than the rest of a request. The parts of spanring keep plain counters
 * instead, so only the format remains to be written.
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
