import * as z from "zod/mini";
import {
  choice,
  count,
  endpoint,
  GIB,
  headers,
  host,
  KIB,
  MIB,
  origins,
  path,
  port,
  size,
} from "./kinds.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const time = count("ms", { from: 1, to: DAY_MS });
const timeOrNone = count("ms", { from: 0, to: DAY_MS });
const connections = count("connections", { from: 1, to: 1_000_000 });

// The ring is one SharedArrayBuffer, of 4 GiB at most in this runtime. A span's row in its index is
// 77 bytes, so that both at their greatest still fit: 13,000,000 rows are less than 1 GiB.
const rows = count("spans", { from: 1, to: 13_000_000 });
const arena = size({ from: 4 * KIB, to: 3 * GIB });

// Readers decode with protobufjs, which stops at 100 levels: deeper spans could not be read back.
const nesting = count("levels", { from: 10, to: 100 });

// Other spellings are those of OpenTelemetry, syslog, Python and .NET.
const level = choice(["DEBUG", "INFO", "WARNING", "ERROR"], {
  trace: "DEBUG",
  information: "INFO",
  notice: "INFO",
  warn: "WARNING",
  err: "ERROR",
  critical: "ERROR",
  fatal: "ERROR",
});

/**
 * Every environment variable: its kind, its value when unset, its help. The schema, `--help` and
 * `--check` are all made from this table, and keep its order.
 */
export const VARIABLES = {
  OTLP_GRPC_HOST: host("0.0.0.0", "where OTLP/gRPC listens"),
  OTLP_GRPC_PORT: port("4317", "port of OTLP/gRPC"),
  OTLP_HTTP_HOST: host("0.0.0.0", "where OTLP/HTTP listens"),
  OTLP_HTTP_PORT: port("4318", "port of OTLP/HTTP"),
  OTLP_HTTP_CORS_ORIGINS: origins("", "whose pages may send"),
  API_HOST: host("127.0.0.1", "where the read API listens"),
  API_PORT: port("4319", "port of the read API"),

  MAX_BUFFER_SIZE: rows("10000", "spans held at most"),
  MAX_BUFFER_BYTES: arena("64MiB", "bytes held at most"),
  OVERFLOW_POLICY: choice(["drop_oldest", "refuse"])("drop_oldest", "what to do when full"),
  UNSUPPORTED_SIGNALS: choice(["accept", "reject"])("accept", "answer to metrics and logs"),

  GRPC_MAX_MESSAGE_LENGTH: size({ from: 1, to: GIB })("4MiB", "largest gRPC request"),
  HTTP_MAX_BODY_LENGTH: size({ from: 1, to: GIB })("20MiB", "largest HTTP request"),
  MAX_IN_FLIGHT_BYTES: size({ from: 1, to: 4 * GIB })("64MiB", "unfinished requests, in all"),
  MAX_SPANS_PER_REQUEST: count("spans", { from: 1, to: 10_000_000 })("100000", "in one request"),
  MAX_NESTING_DEPTH: nesting("100", "messages inside messages"),

  MAX_CONNECTIONS: connections("1000", "at a time"),
  MAX_CONNECTIONS_PER_ADDRESS: connections("200", "from one address"),
  MAX_CONCURRENT_STREAMS: count("streams", { from: 1, to: 10_000 })("100", "on one connection"),
  FIRST_REQUEST_TIMEOUT_MS: time("10000", "from connecting to the first request"),
  IDLE_TIMEOUT_MS: time("300000", "without a request, then disconnected"),
  KEEPALIVE_TIME_MS: time("60000", "between keepalive pings"),
  KEEPALIVE_TIMEOUT_MS: time("20000", "for the answer to a keepalive ping"),
  MAX_CONNECTION_AGE_MS: time("1800000", "then asked to reconnect"),

  LOG_LEVEL: level("INFO", "least level that is logged"),
  SHUTDOWN_GRACE_MS: timeOrNone("5000", "to finish when asked to stop"),
  SHUTDOWN_SPILL_FILE: path("", "keeps what a stop finds in the buffer"),

  FORWARD_ENDPOINT: endpoint("", "where spans go on to"),
  FORWARD_PROTOCOL: choice(["", "grpc", "http/protobuf"])("", "if the scheme does not say it"),
  FORWARD_HEADERS: headers("", "sent with every request"),
  FORWARD_HEADERS_FILE: path("", "more of them; a line each will do"),
  FORWARD_COMPRESSION: choice(["none", "gzip", "zstd"])("gzip", "of requests; zstd over HTTP"),
  FORWARD_TIMEOUT_MS: time("10000", "for the answer to a request"),
  FORWARD_BATCH_SPANS: count("spans", { from: 1, to: 1_000_000 })("8192", "in one request"),
  FORWARD_BATCH_BYTES: size({ from: 4 * KIB, to: 64 * MIB })("3MiB", "in one request"),
  FORWARD_MAX_DELAY_MS: timeOrNone("200", "that a span waits for others"),
  FORWARD_CONCURRENCY: count("requests", { from: 1, to: 64 })("4", "at a time"),
  FORWARD_RETRY_INITIAL_MS: time("1000", "before a request is sent again"),
  FORWARD_RETRY_MAX_MS: time("30000", "the same, after many times"),
  FORWARD_HIGH_WATER: count("percent", { from: 1, to: 100 })("80", "of the buffer, then told"),

  FORWARD_TLS_CA_FILE: path("", "authorities in PEM, not the system's"),
  FORWARD_TLS_CERT_FILE: path("", "own certificate, in PEM"),
  FORWARD_TLS_KEY_FILE: path("", "its key"),
  FORWARD_TLS_INSECURE: choice(["false", "true"])("false", "check no certificate"),

  FORWARD_FILE_MAX_BYTES: size({ from: 4 * KIB, to: 1024 * GIB })("100MiB", "then a new file"),
  FORWARD_FILE_MAX_AGE_MS: count("ms", { from: 0, to: 366 * DAY_MS })(
    "86400000",
    "then a new file; 0 is never",
  ),
  FORWARD_FILE_KEEP: count("files", { from: 1, to: 100_000 })("10", "besides the current one"),
  FORWARD_FILE_FSYNC: choice(["never", "rotate", "always"])("always", "when it is on the disk"),
} as const;

export type VariableName = keyof typeof VARIABLES;

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** Every variable's value, checked and converted: sizes in bytes, times in milliseconds. */
export type Settings = {
  readonly [Name in VariableName]: z.output<(typeof VARIABLES)[Name]["schema"]>;
};

/** Reads all the texts at once. The first word of an issue's path is the variable's name. */
export const settingsSchema = z.object(
  Object.fromEntries(VARIABLE_NAMES.map((name) => [name, VARIABLES[name].schema])),
  // `fromEntries` forgets which key has which value; this line is the only place that says it.
) as unknown as z.ZodMiniType<Settings, Record<VariableName, string>>;

/** A value that cannot be used. Reads as `variable="value": must be bound`. */
export interface Mistake {
  readonly variable: string;
  /** Escaped, and cut at 256 bytes. */
  readonly value: string;
  readonly bound: string;
}

/** The program runs, but hardly as it was meant to. */
export interface ConfigWarning {
  readonly variable: string;
  readonly message: string;
}
