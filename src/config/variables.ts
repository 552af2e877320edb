import { FORWARD_VARIABLES } from "./forward-variables.ts";
import {
  choice,
  count,
  GIB,
  host,
  KIB,
  MIB,
  mode,
  origins,
  path,
  port,
  size,
  time,
  timeOrNone,
} from "./kinds.ts";

const connections = count("connections", { from: 1, to: 1_000_000 });

// The ring is one SharedArrayBuffer of at most 4 GiB in this runtime. The index takes 77 bytes a
// span, so both maxima fit: 13,000,000 rows take less than 1 GiB.
const rows = count("spans", { from: 1, to: 13_000_000 });
const arena = size({ from: 4 * KIB, to: 3 * GIB });

// Readers decode with protobufjs, which stops at 100 levels and cannot read deeper spans.
const nesting = count("levels", { from: 10, to: 100 });

// The synonyms are those of OpenTelemetry, syslog, Python and .NET.
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
 * Every environment variable with its kind, its default and a phrase that explains it. The schema,
 * `help environment`, `--check` and the README in this folder derive from this table, in its order.
 */
export const VARIABLES = {
  OTLP_GRPC_HOST: host("0.0.0.0", "address on which OTLP/gRPC listens"),
  OTLP_GRPC_PORT: port(
    "4317",
    "port on which OTLP/gRPC listens; if 0, the log names the chosen port",
  ),
  OTLP_GRPC_TLS_CERT_FILE: path(
    "",
    "certificate of OTLP/gRPC in PEM, with its chain; unset for no TLS",
  ),
  OTLP_GRPC_TLS_KEY_FILE: path("", "private key of that certificate, in PEM"),
  OTLP_GRPC_TLS_CLIENT_CA_FILE: path(
    "",
    "authorities of the client certificates that senders must have, in PEM; unset for none",
  ),
  OTLP_HTTP_HOST: host("0.0.0.0", "address on which OTLP/HTTP listens"),
  OTLP_HTTP_PORT: port("4318", "port on which OTLP/HTTP listens"),
  OTLP_HTTP_TLS_CERT_FILE: path(
    "",
    "certificate of OTLP/HTTP in PEM, with its chain; unset for no TLS",
  ),
  OTLP_HTTP_TLS_KEY_FILE: path("", "private key of that certificate, in PEM"),
  OTLP_HTTP_TLS_CLIENT_CA_FILE: path(
    "",
    "authorities of the client certificates that senders must have, in PEM; unset for none",
  ),
  OTLP_HTTP_CORS_ORIGINS: origins(
    "",
    "origins of the web pages that may send spans over OTLP/HTTP",
  ),
  API_HOST: host("127.0.0.1", "address on which the read API listens"),
  API_PORT: port("4319", "port on which the read API listens"),
  API_TLS_CERT_FILE: path(
    "",
    "certificate of the read API in PEM, with its chain; unset for no TLS",
  ),
  API_TLS_KEY_FILE: path("", "private key of that certificate, in PEM"),
  API_TLS_CLIENT_CA_FILE: path(
    "",
    "authorities of the client certificates that readers must have, in PEM; unset for none",
  ),

  UNIX_SOCKET_MODE: mode("0660", "permissions of the Unix sockets on which spanring listens"),

  OTLP_AUTH_TOKENS_FILE: path(
    "",
    "file of the tokens that senders may use, one per line; unset to accept anyone",
  ),
  API_AUTH_TOKENS_FILE: path(
    "",
    "file of the tokens that readers may use, one per line; unset to accept anyone",
  ),
  API_INSECURE: choice(["false", "true"])(
    "false",
    "whether anyone who can reach the read API may read and remove spans, if API_HOST is " +
      "not a loopback address",
  ),

  MAX_BUFFER_SIZE: rows("10000", "maximum number of spans in memory"),
  MAX_BUFFER_BYTES: arena(
    "64MiB",
    "maximum size of the spans in memory, which is taken only as it fills",
  ),
  OVERFLOW_POLICY: choice(["drop_oldest", "refuse"])(
    "drop_oldest",
    "what happens when the buffer (with DATA_DIR, the log) is full: evict the oldest spans, or " +
      "refuse new requests",
  ),
  UNSUPPORTED_SIGNALS: choice(["accept", "reject"])(
    "accept",
    "response to metrics and logs, which are discarded: success with a warning, or an error",
  ),

  GRPC_MAX_MESSAGE_LENGTH: size({ from: 1, to: GIB })(
    "4MiB",
    "maximum size of a gRPC request, before and after decompression",
  ),
  HTTP_MAX_BODY_LENGTH: size({ from: 1, to: GIB })(
    "20MiB",
    "maximum size of an HTTP request body, before and after decompression",
  ),
  MAX_IN_FLIGHT_BYTES: size({ from: 1, to: 4 * GIB })(
    "64MiB",
    "maximum size of all unfinished requests together, over all connections; responses of the " +
      "read API that are under way take from it, and leave 24MiB, or the largest request; if the " +
      "process grows too large, the limit shrinks, to no less than 8MiB",
  ),
  MAX_SPANS_PER_REQUEST: count("spans", { from: 1, to: 10_000_000 })(
    "100000",
    "maximum number of spans in one request",
  ),
  MAX_NESTING_DEPTH: nesting("100", "maximum depth of nested messages in a request"),

  MAX_CONNECTIONS: connections(
    "1000",
    "maximum number of gRPC connections, and of concurrent HTTP requests",
  ),
  MAX_CONNECTIONS_PER_ADDRESS: connections(
    "200",
    "maximum number of connections and requests, as above, from one client address",
  ),
  MAX_CONCURRENT_STREAMS: count("streams", { from: 1, to: 10_000 })(
    "100",
    "maximum number of concurrent requests on one gRPC connection",
  ),
  FIRST_REQUEST_TIMEOUT_MS: time(
    "10000",
    "time that a new connection has to send its first request before it is closed",
  ),
  REQUEST_TIMEOUT_MS: time(
    "60000",
    "time from the headers of a request to the end of its body, after which it is abandoned",
  ),
  IDLE_TIMEOUT_MS: time("300000", "time without a request, after which a connection is closed"),
  KEEPALIVE_TIME_MS: time("60000", "interval between keepalive pings on a gRPC connection"),
  KEEPALIVE_TIMEOUT_MS: time("20000", "time to wait for the response to a keepalive ping"),
  MAX_CONNECTION_AGE_MS: time(
    "1800000",
    "maximum age of a gRPC connection; older connections receive GOAWAY",
  ),

  LOG_LEVEL: level("INFO", "lowest level that is logged"),
  LOG_FORMAT: choice(["auto", "json", "text"])(
    "auto",
    "form of the log: lines of JSON, or text for people; auto means text on a terminal only",
  ),
  SHUTDOWN_GRACE_MS: timeOrNone(
    "5000",
    "grace period after SIGTERM, SIGINT; a second signal ends it, " +
      "a third exits at once, with code 143 or 130",
  ),
  STDIN_END: choice(["ignore", "stop"])(
    "ignore",
    "what the end of standard input does: stop means to stop with the program that holds its pipe",
  ),
  DATA_DIR: path(
    "",
    "directory of the log that keeps the buffered spans on disk; unset for memory only",
  ),
  DURABILITY: choice(["disk", "process", "stop"])(
    "disk",
    "when spans are written: before their acknowledgement, to stable storage (disk), or not yet " +
      "synced, which survives a crash of the process (process), or at shutdown only (stop)",
  ),
  SYNC_INTERVAL_MS: time(
    "1000",
    "interval at which written requests reach stable storage, if DURABILITY is process",
  ),
  MAX_DISK_BYTES: size({ from: MIB, to: 1024 * GIB })(
    "1GiB",
    "maximum size of the log; beyond it, OVERFLOW_POLICY applies",
  ),
  DISK_FAILURE: choice(["refuse", "memory"])(
    "refuse",
    "what happens while the disk fails: refuse requests, or acknowledge them once they are in " +
      "memory, where a crash or a stop loses their spans",
  ),

  ...FORWARD_VARIABLES,
} as const;

export type VariableName = keyof typeof VARIABLES;

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** The checked values of all variables: sizes in bytes, times in milliseconds. */
export type Settings = {
  readonly [Name in VariableName]: Exclude<ReturnType<(typeof VARIABLES)[Name]["read"]>, undefined>;
};

/** An invalid value, reported as `variable="value": must be bound`. */
export interface Mistake {
  readonly variable: string;
  /** Escaped, and truncated to 256 bytes. */
  readonly value: string;
  readonly bound: string;
}

/** A setting with which the program runs, but probably not as intended. */
export interface ConfigWarning {
  readonly variable: string;
  readonly message: string;
}
