/** The listeners, each with its protocol. */
export const PROBLEM_PROTOCOLS = ["grpc", "http", "api"] as const;

export type ProblemProtocol = (typeof PROBLEM_PROTOCOLS)[number];

/** Describes one reason for refusing or discarding something. */
export interface ProblemKind {
  /** The listeners where it can happen. */
  readonly protocols: readonly ProblemProtocol[];
  /** The unit of the count. */
  readonly noun: "request" | "span" | "connection" | "sender" | "shortage";
  /** What happened, as the end of a sentence such as "3 requests were ...". */
  readonly fate: string;
  /** What to do. `{http}` stands for `port 4318`, or for a phrase if that listener is off. */
  readonly hint: string;
  /** Whether it may cause exported spans to be missing. */
  readonly mayLoseSpans: boolean;
}

const GRPC = ["grpc"] as const;
const HTTP = ["http"] as const;
const API = ["api"] as const;
const OTLP = ["grpc", "http"] as const;
/** The listeners that do not use Bun.serve, which hides its connections. */
const OWN_SOCKETS = ["grpc", "api"] as const;

const MORE_ROOM = "raise MAX_BUFFER_SIZE and MAX_BUFFER_BYTES, or read or forward the spans faster";
const SEND_LATER = "the exporter should retry; send less at a time, or raise the limit";

/** All reasons. Their names are label values of a metric, so they are few and fixed. */
export const PROBLEM_KINDS = {
  malformed: {
    protocols: OTLP,
    noun: "request",
    fate: "not valid as ExportTraceServiceRequest",
    hint: "check that a trace exporter sends it, and not one for metrics or logs",
    mayLoseSpans: true,
  },
  not_otlp_json: {
    protocols: HTTP,
    noun: "request",
    fate: "JSON, but not OTLP",
    hint: 'send {"resourceSpans":[...]}, or protobuf with Content-Type: application/x-protobuf',
    mayLoseSpans: true,
  },
  broken_compression: {
    protocols: OTLP,
    noun: "request",
    fate: "not compressed as declared",
    hint: "check Content-Encoding or grpc-encoding; a proxy may have changed the header or body",
    mayLoseSpans: true,
  },
  incomplete: {
    protocols: HTTP,
    noun: "request",
    fate: "aborted by the sender",
    hint: "check the timeout of the exporter, and proxies in between",
    mayLoseSpans: true,
  },
  unknown_fields: {
    protocols: OTLP,
    noun: "request",
    fate: "accepted without a span, because no key in it is defined by OTLP",
    hint: "expected keys are resourceSpans, scopeSpans, spans; /v1/traces is for traces only",
    mayLoseSpans: true,
  },
  too_large: {
    protocols: OTLP,
    noun: "request",
    fate: "larger than a limit",
    hint:
      "send smaller batches, or raise GRPC_MAX_MESSAGE_LENGTH, HTTP_MAX_BODY_LENGTH, " +
      "MAX_SPANS_PER_REQUEST or MAX_BUFFER_BYTES",
    mayLoseSpans: true,
  },
  rejected: {
    protocols: OTLP,
    noun: "span",
    fate: "rejected as invalid",
    hint: "fix the exporter; the valid spans of these requests were stored",
    mayLoseSpans: true,
  },
  evicted: {
    protocols: OTLP,
    noun: "span",
    fate: "evicted from the full buffer",
    hint: MORE_ROOM,
    mayLoseSpans: true,
  },
  buffer_full: {
    protocols: OTLP,
    noun: "request",
    fate: "refused because the buffer was full",
    hint: MORE_ROOM,
    mayLoseSpans: true,
  },
  disk_failed: {
    protocols: OTLP,
    noun: "request",
    fate: "refused because the disk of DATA_DIR failed or was full",
    hint: "free space or replace the disk; the exporter should retry",
    mayLoseSpans: true,
  },
  failed: {
    protocols: OTLP,
    noun: "request",
    fate: "refused because of an internal error",
    hint: "please report it with the log line that describes the error",
    mayLoseSpans: true,
  },
  stopping: {
    protocols: OTLP,
    noun: "request",
    fate: "refused while spanring was shutting down",
    hint: "the exporter should retry after the next start, or at another receiver",
    mayLoseSpans: true,
  },
  unsupported_metrics: {
    protocols: OTLP,
    noun: "request",
    fate: "for metrics, which are not supported",
    hint: "set OTEL_METRICS_EXPORTER=none to stop sending them",
    mayLoseSpans: false,
  },
  unsupported_logs: {
    protocols: OTLP,
    noun: "request",
    fate: "for logs, which are not supported",
    hint: "set OTEL_LOGS_EXPORTER=none to stop sending them",
    mayLoseSpans: false,
  },
  unknown_path: {
    protocols: OTLP,
    noun: "request",
    fate: "sent to an unknown path",
    hint: "OTLP/HTTP is POST /v1/traces at {http}; OTLP/gRPC is TraceService/Export at {grpc}",
    mayLoseSpans: true,
  },
  wrong_method: {
    protocols: HTTP,
    noun: "request",
    fate: "sent with a method other than POST",
    hint: "OTLP/HTTP is POST /v1/traces; the read API, /healthz and /readyz are at {api}",
    mayLoseSpans: false,
  },
  unsupported_type: {
    protocols: OTLP,
    noun: "request",
    fate: "sent with an unsupported Content-Type",
    hint: "use application/x-protobuf or application/json over HTTP, application/grpc over gRPC",
    mayLoseSpans: true,
  },
  unsupported_encoding: {
    protocols: OTLP,
    noun: "request",
    fate: "in an unsupported encoding",
    hint: "set OTEL_EXPORTER_OTLP_COMPRESSION to gzip or none",
    mayLoseSpans: true,
  },
  origin_not_allowed: {
    protocols: HTTP,
    noun: "request",
    fate: "blocked by a browser, because the origin of the page is not allowed",
    hint: "add the origin of the page to OTLP_HTTP_CORS_ORIGINS",
    mayLoseSpans: true,
  },
  grpc_on_http: {
    protocols: HTTP,
    noun: "request",
    fate: "OTLP/gRPC, sent to the OTLP/HTTP port",
    hint: "OTLP/gRPC is at {grpc}; or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    mayLoseSpans: true,
  },
  http_on_grpc: {
    protocols: GRPC,
    noun: "request",
    fate: "plain HTTP, sent to the OTLP/gRPC port",
    hint: "OTLP/HTTP is at {http}; or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
    mayLoseSpans: true,
  },
  otlp_on_api: {
    protocols: API,
    noun: "request",
    fate: "OTLP, sent to the read API port",
    hint: "OTLP/gRPC is at {grpc}, OTLP/HTTP at {http}",
    mayLoseSpans: true,
  },
  unauthenticated: {
    protocols: PROBLEM_PROTOCOLS,
    noun: "request",
    fate: "refused for lack of a valid token",
    hint: "set OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN, or --token-file FILE",
    mayLoseSpans: true,
  },
  tls: {
    protocols: GRPC,
    noun: "connection",
    fate: "opened with TLS, which this port does not support",
    hint:
      "use http:// instead of https://, or OTEL_EXPORTER_OTLP_INSECURE=true; or set " +
      "OTLP_GRPC_TLS_CERT_FILE here",
    mayLoseSpans: true,
  },
  plaintext: {
    protocols: OWN_SOCKETS,
    noun: "connection",
    fate: "opened without TLS, which this port requires",
    hint: "use https:// instead of http://, with OTEL_EXPORTER_OTLP_CERTIFICATE or --ca FILE",
    mayLoseSpans: true,
  },
  tls_handshake: {
    protocols: OWN_SOCKETS,
    noun: "connection",
    fate: "closed because its TLS handshake failed",
    hint: "check which authorities and certificate the client has, and that it supports TLS 1.2",
    mayLoseSpans: true,
  },
  not_http2: {
    protocols: GRPC,
    noun: "connection",
    fate: "opened with neither HTTP nor TLS",
    hint: "find out which program connects from this address to {grpc}",
    mayLoseSpans: false,
  },
  broken_http2: {
    protocols: GRPC,
    noun: "connection",
    fate: "closed because the peer violated HTTP/2",
    hint: "check proxies between the exporter and spanring, and what else connects here",
    mayLoseSpans: true,
  },
  excessive_frames: {
    protocols: GRPC,
    noun: "connection",
    fate: "closed because its frames were out of proportion to its requests",
    hint: "check proxies that split messages, and clients that cancel most of their requests",
    mayLoseSpans: true,
  },
  too_many_connections: {
    protocols: GRPC,
    noun: "connection",
    fate: "refused, or closed unused, because MAX_CONNECTIONS was reached",
    hint: SEND_LATER,
    mayLoseSpans: true,
  },
  too_many_connections_per_address: {
    protocols: GRPC,
    noun: "connection",
    fate: "refused, or closed unused, because MAX_CONNECTIONS_PER_ADDRESS was reached",
    hint: SEND_LATER,
    mayLoseSpans: true,
  },
  first_request_timeout: {
    protocols: GRPC,
    noun: "connection",
    fate: "closed without a request within FIRST_REQUEST_TIMEOUT_MS",
    hint: "check for probes that only connect, and for slow proxies; exporters send at once",
    mayLoseSpans: false,
  },
  too_many_requests: {
    protocols: HTTP,
    noun: "request",
    fate: "refused because MAX_CONNECTIONS was reached",
    hint: SEND_LATER,
    mayLoseSpans: true,
  },
  too_many_requests_per_address: {
    protocols: HTTP,
    noun: "request",
    fate: "refused because MAX_CONNECTIONS_PER_ADDRESS was reached",
    hint: SEND_LATER,
    mayLoseSpans: true,
  },
  in_flight_bytes: {
    protocols: OTLP,
    noun: "sender",
    fate: "dropped because requests in flight exceeded what MAX_IN_FLIGHT_BYTES left to them",
    hint: `${SEND_LATER}; slow readers, and a process near its memory bound, reduce it`,
    mayLoseSpans: true,
  },
  out_of_descriptors: {
    protocols: PROBLEM_PROTOCOLS,
    noun: "shortage",
    fate: "noticed: no file descriptor was left, so connections were closed or not accepted",
    hint: "raise the limit of open files (ulimit -n, LimitNOFILE=), or lower MAX_CONNECTIONS",
    mayLoseSpans: true,
  },
  request_timeout: {
    protocols: OTLP,
    noun: "request",
    fate: "abandoned for not being complete in time",
    hint: "check the link between the exporter and spanring, and send smaller batches",
    mayLoseSpans: true,
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemReason = keyof typeof PROBLEM_KINDS;

export const PROBLEM_REASONS = Object.keys(PROBLEM_KINDS) as ProblemReason[];
