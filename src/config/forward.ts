import { endpointOf, type ForwardEndpoint } from "./endpoint.ts";
import type { Settings } from "./variables.ts";
import { parseExportHeaders } from "../domain/text/export-headers.ts";
import { SecretText } from "../domain/text/quote-text.ts";

/** The configuration of forwarding. */
export interface ForwardConfig {
  readonly endpoint: ForwardEndpoint;
  readonly headers: readonly (readonly [name: string, value: SecretText])[];
  /** The path of a file with more headers; empty for none. */
  readonly headersFile: string;
  readonly compression: "none" | "gzip" | "zstd" | "snappy" | "lz4";
  /** Maximum time for a batch, from the request to the end of the response. */
  readonly timeoutMs: number;
  readonly batchSpans: number;
  readonly batchBytes: number;
  /** Maximum time that an incomplete batch waits for more spans. */
  readonly maxDelayMs: number;
  /** Maximum number of concurrent batches. */
  readonly concurrency: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly highWaterPercent: number;
  readonly tls: ForwardTlsConfig;
  /** The key of messages to Kafka. */
  readonly kafkaKey: "none" | "trace_id" | "service";
  readonly sasl: ForwardSaslConfig;
  readonly file: ForwardFileConfig;
}

/** An empty path means no file. */
export interface ForwardTlsConfig {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Whether every certificate of the upstream is accepted. */
  readonly isInsecure: boolean;
}

/** An empty mechanism means no authentication, an empty path no file. */
export interface ForwardSaslConfig {
  readonly mechanism: "" | "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER";
  readonly usernameFile: string;
  readonly passwordFile: string;
  readonly tokenFile: string;
}

export interface ForwardFileConfig {
  readonly maxBytes: number;
  /** The maximum age of a file; 0 for no limit. */
  readonly maxAgeMs: number;
  readonly keep: number;
  readonly fsync: "never" | "rotate" | "always";
}

/** Returns the configuration of forwarding, which is off without an endpoint. */
export function forwardOf(settings: Settings): ForwardConfig | "off" {
  const endpoint = forwardEndpoint(settings);
  if (endpoint === undefined) return "off";
  return Object.freeze({
    endpoint: Object.freeze(endpoint),
    headers: Object.freeze(secretHeaders(settings.FORWARD_HEADERS)),
    headersFile: settings.FORWARD_HEADERS_FILE,
    compression: settings.FORWARD_COMPRESSION,
    timeoutMs: settings.FORWARD_TIMEOUT_MS,
    batchSpans: settings.FORWARD_BATCH_SPANS,
    batchBytes: settings.FORWARD_BATCH_BYTES,
    maxDelayMs: settings.FORWARD_MAX_DELAY_MS,
    concurrency: settings.FORWARD_CONCURRENCY,
    retryInitialMs: settings.FORWARD_RETRY_INITIAL_MS,
    retryMaxMs: settings.FORWARD_RETRY_MAX_MS,
    highWaterPercent: settings.FORWARD_HIGH_WATER,
    tls: Object.freeze({
      caFile: settings.FORWARD_TLS_CA_FILE,
      certFile: settings.FORWARD_TLS_CERT_FILE,
      keyFile: settings.FORWARD_TLS_KEY_FILE,
      isInsecure: settings.FORWARD_TLS_INSECURE === "true",
    }),
    kafkaKey: settings.FORWARD_KAFKA_KEY,
    sasl: Object.freeze({
      mechanism: settings.FORWARD_SASL_MECHANISM,
      usernameFile: settings.FORWARD_SASL_USERNAME_FILE,
      passwordFile: settings.FORWARD_SASL_PASSWORD_FILE,
      tokenFile: settings.FORWARD_SASL_TOKEN_FILE,
    }),
    file: Object.freeze({
      maxBytes: settings.FORWARD_FILE_MAX_BYTES,
      maxAgeMs: settings.FORWARD_FILE_MAX_AGE_MS,
      keep: settings.FORWARD_FILE_KEEP,
      fsync: settings.FORWARD_FILE_FSYNC,
    }),
  });
}

/** Returns the endpoint; undefined if forwarding is disabled. */
export function forwardEndpoint(settings: Settings): ForwardEndpoint | undefined {
  const text = settings.FORWARD_ENDPOINT.reveal();
  return text === "" ? undefined : endpointOf(text, settings.FORWARD_PROTOCOL);
}

function secretHeaders(text: SecretText): ForwardConfig["headers"] {
  const headers = parseExportHeaders(text.reveal()) ?? [];
  return headers.map(([name, value]) => [name, new SecretText(value)] as const);
}
