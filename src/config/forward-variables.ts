import {
  choice,
  count,
  DAY_MS,
  endpoint,
  GIB,
  headers,
  KIB,
  MIB,
  path,
  size,
  time,
  timeOrNone,
} from "./kinds.ts";

/** The variables of forwarding, which `variables.ts` appends to its table. */
export const FORWARD_VARIABLES = {
  FORWARD_ENDPOINT: endpoint(
    "",
    "upstream to which spans are forwarded; unset to disable forwarding",
  ),
  FORWARD_PROTOCOL: choice(["", "grpc", "http/protobuf"])(
    "",
    "protocol of the upstream, if the URL scheme does not determine it",
  ),
  FORWARD_HEADERS: headers("", "headers to send with every request, or with every Kafka message"),
  FORWARD_HEADERS_FILE: path(
    "",
    "file with additional headers, one per line, to keep secrets out of the environment",
  ),
  FORWARD_COMPRESSION: choice(["none", "gzip", "zstd", "snappy", "lz4"])(
    "gzip",
    "compression of requests; zstd is available over HTTP and for Kafka, snappy and lz4 for Kafka",
  ),
  FORWARD_TIMEOUT_MS: time("10000", "time to wait for the response to a request"),
  FORWARD_BATCH_SPANS: count("spans", { from: 1, to: 1_000_000 })(
    "8192",
    "maximum number of spans in one request",
  ),
  FORWARD_BATCH_BYTES: size({ from: 4 * KIB, to: 64 * MIB })(
    "3MiB",
    "maximum size of one request before compression; many receivers accept 4 MiB",
  ),
  FORWARD_MAX_DELAY_MS: timeOrNone("200", "maximum time that a span waits for its batch to fill"),
  FORWARD_CONCURRENCY: count("requests", { from: 1, to: 64 })(
    "4",
    "maximum number of concurrent requests",
  ),
  FORWARD_RETRY_INITIAL_MS: time(
    "1000",
    "maximum pause before the first retry; it doubles with each further retry",
  ),
  FORWARD_RETRY_MAX_MS: time(
    "30000",
    "maximum pause before a retry, unless the upstream asks for more; retries are unlimited",
  ),
  FORWARD_HIGH_WATER: count("percent", { from: 1, to: 100 })(
    "80",
    "fill level of the buffer at which the log and /readyz (still 200) warn",
  ),

  FORWARD_TLS_CA_FILE: path("", "certificate authorities to trust instead of the system's, in PEM"),
  FORWARD_TLS_CERT_FILE: path("", "client certificate, in PEM"),
  FORWARD_TLS_KEY_FILE: path("", "private key of the client certificate, in PEM"),
  FORWARD_TLS_INSECURE: choice(["false", "true"])(
    "false",
    "whether to accept any certificate from the upstream",
  ),

  FORWARD_KAFKA_KEY: choice(["none", "trace_id", "service"])(
    "none",
    "key of Kafka messages; each then has the spans of one trace or one service, on one partition",
  ),
  FORWARD_SASL_MECHANISM: choice(["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])(
    "",
    "how to authenticate to Kafka; unset to send no credentials",
  ),
  FORWARD_SASL_USERNAME_FILE: path("", "file with the user name, for PLAIN and SCRAM"),
  FORWARD_SASL_PASSWORD_FILE: path("", "file with the password, for PLAIN and SCRAM"),
  FORWARD_SASL_TOKEN_FILE: path("", "file with the token, for OAUTHBEARER"),

  FORWARD_FILE_MAX_BYTES: size({ from: 4 * KIB, to: 1024 * GIB })(
    "100MiB",
    "size at which a file is rotated",
  ),
  FORWARD_FILE_MAX_AGE_MS: count("ms", { from: 0, to: 366 * DAY_MS })(
    "86400000",
    "age at which a file is rotated; 0 for no limit",
  ),
  FORWARD_FILE_KEEP: count("files", { from: 1, to: 100_000 })(
    "10",
    "number of rotated files to keep",
  ),
  FORWARD_FILE_FSYNC: choice(["never", "rotate", "always"])(
    "always",
    "when files are synced: never, at rotation, or always before spans count as delivered",
  ),
} as const;
