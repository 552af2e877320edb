import {
  type ListenerPrefix,
  mistakesBetween,
  removedVariables,
  warningsBetween,
} from "./checks.ts";
import {
  type ConfigWarning,
  type Mistake,
  VARIABLE_NAMES,
  VARIABLES,
  type Settings,
  type VariableName,
} from "./variables.ts";
import { type OwnAddresses, ownAddresses, proxyMistakes } from "./forward-checks.ts";
import { type ForwardConfig, forwardOf } from "./forward.ts";
import { type LogConfig, logOf } from "./log.ts";
import { withoutServiceLinks, misspelledNames } from "./spelling.ts";
import { socketPathOf } from "../domain/text/host-address.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

export type { ConfigWarning, Mistake } from "./variables.ts";
export type { ForwardEndpoint } from "./endpoint.ts";
export type { ForwardConfig, ForwardFileConfig, ForwardTlsConfig } from "./forward.ts";
export type { KafkaEndpoint } from "./kafka-endpoint.ts";
export type { LogConfig } from "./log.ts";
export type { Settings } from "./variables.ts";
export type { ListenerPrefix } from "./checks.ts";

/** The configuration. `variables.ts` has the names, limits and help texts of its variables. */
export interface Config {
  readonly grpc: ListenAddress | "off";
  readonly http: ListenAddress | "off";
  readonly api: ListenAddress | "off";
  readonly tokens: TokensConfig;
  /** Maximum size of a gRPC request. */
  readonly maxMessageBytes: number;
  /** Maximum size of an HTTP request body. */
  readonly maxBodyBytes: number;
  /** Origins of web pages that may send over HTTP; `*` means any. */
  readonly corsOrigins: readonly string[];
  readonly unsupportedSignals: "accept" | "reject";
  readonly buffer: BufferConfig;
  readonly limits: LimitsConfig;
  readonly logLevel: "DEBUG" | "INFO" | "WARNING" | "ERROR";
  readonly logFormat: "auto" | "json" | "text";
  readonly shutdownGraceMs: number;
  readonly stdinEnd: "ignore" | "stop";
  readonly log: LogConfig | "off";
  readonly forward: ForwardConfig | "off";
}

export interface ListenAddress {
  /** A host, or `unix:/PATH`. */
  readonly host: string;
  /** The port; 0 means any free port. Meaningless for a Unix socket. */
  readonly port: number;
  /** The permissions of a Unix socket; undefined for a host. */
  readonly socketMode?: number | undefined;
  /** Undefined for a listener without TLS. */
  readonly tls?: ListenerTls | undefined;
}

/** The paths of the files of a listener with TLS. */
export interface ListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty if clients need no certificate. */
  readonly clientCaFile: string;
}

/** The paths of files with tokens; empty if none are required. */
export interface TokensConfig {
  readonly otlpFile: string;
  readonly apiFile: string;
}

export interface BufferConfig {
  readonly maxSpans: number;
  readonly maxBytes: number;
  readonly overflowPolicy: "drop_oldest" | "refuse";
}

export interface LimitsConfig {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Maximum time from accept to the first request, after which the connection is closed. */
  readonly firstRequestMs: number;
  /** Maximum time from the headers of a request to the end of its body. */
  readonly requestMs: number;
  readonly idleMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly connectionAgeMs: number;
  readonly streamsPerConnection: number;
  readonly spansPerRequest: number;
  readonly nestingDepth: number;
  /** Maximum bytes of unfinished requests over all connections. */
  readonly inFlightBytes: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The result of reading the configuration. `settings` has the same values as `config`, by variable,
 * as `--check` prints them.
 */
export type ConfigReading =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly settings: Settings;
      readonly warnings: readonly ConfigWarning[];
    }
  | {
      readonly ok: false;
      readonly mistakes: readonly Mistake[];
      /** The configuration with defaults for invalid values, to search for more mistakes. */
      readonly rest: Config;
      readonly warnings: readonly ConfigWarning[];
    };

/**
 * Returns the frozen configuration, or all mistakes in it. It reads only `env`, and the addresses
 * of this machine if spans might be forwarded back to it.
 */
export function readConfig(env: Environment, own: OwnAddresses = ownAddresses): ConfigReading {
  const { env: given, warnings } = withoutServiceLinks(env);
  warnings.push(...misspelledNames(Object.keys(given)));
  const texts = textsOf(given);
  const values = valuesOf(texts);
  const invalid = VARIABLE_NAMES.filter((name) => values[name] === undefined);
  const settings = { ...values, ...valuesOf(neutralTexts(invalid)) } as Settings;
  const mistakes = moreMistakes(
    invalid.map((name) => mistakeIn(name, texts[name])),
    [
      ...removedVariables(given),
      ...mistakesBetween(settings, own),
      ...proxyMistakes(given, settings),
    ],
  );
  const config = configOf(settings);
  if (mistakes.length > 0) return { ok: false, mistakes, rest: config, warnings };
  warnings.push(...warningsBetween(settings));
  return { ok: true, config, settings, warnings };
}

/** Values that conflict with no other variable, where the default may. */
const NEUTRAL: Readonly<Partial<Record<VariableName, string>>> = {
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_PORT: "0",
  API_PORT: "0",
  FORWARD_RETRY_INITIAL_MS: "1",
};

function neutralTexts(names: readonly VariableName[]): Partial<Record<VariableName, string>> {
  return Object.fromEntries(names.map((name) => [name, NEUTRAL[name] ?? VARIABLES[name].unset]));
}

/** Appends mistakes, except those in variables that have one already. */
export function moreMistakes(found: readonly Mistake[], more: readonly Mistake[]): Mistake[] {
  const known = new Set(found.map(({ variable }) => variable));
  return [...found, ...more.filter(({ variable }) => !known.has(variable))];
}

/**
 * Returns the text of each variable. Empty variables count as unset, which is what `NAME= spanring`
 * and unfilled templates mean.
 */
function textsOf(env: Environment): Record<VariableName, string> {
  const texts = VARIABLE_NAMES.map((name) => [name, env[name] || VARIABLES[name].unset] as const);
  return Object.fromEntries(texts) as Record<VariableName, string>;
}

/** Returns the value of each text; undefined for one that is invalid. */
function valuesOf(texts: Readonly<Partial<Record<VariableName, string>>>): Partial<Settings> {
  const entries = Object.entries(texts) as [VariableName, string][];
  return Object.fromEntries(entries.map(([name, text]) => [name, VARIABLES[name].read(text)]));
}

function mistakeIn(variable: VariableName, text: string): Mistake {
  const { bound, conceal } = VARIABLES[variable];
  return { variable, value: quotePeerText(conceal(text)), bound };
}

function configOf(settings: Settings): Config {
  return Object.freeze({
    grpc: addressOf(settings, "OTLP_GRPC"),
    http: addressOf(settings, "OTLP_HTTP"),
    api: addressOf(settings, "API"),
    tokens: Object.freeze({
      otlpFile: settings.OTLP_AUTH_TOKENS_FILE,
      apiFile: settings.API_AUTH_TOKENS_FILE,
    }),
    maxMessageBytes: settings.GRPC_MAX_MESSAGE_LENGTH,
    maxBodyBytes: settings.HTTP_MAX_BODY_LENGTH,
    corsOrigins: Object.freeze([...settings.OTLP_HTTP_CORS_ORIGINS]),
    unsupportedSignals: settings.UNSUPPORTED_SIGNALS,
    buffer: Object.freeze({
      maxSpans: settings.MAX_BUFFER_SIZE,
      maxBytes: settings.MAX_BUFFER_BYTES,
      overflowPolicy: settings.OVERFLOW_POLICY,
    }),
    limits: limitsOf(settings),
    logLevel: settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
    shutdownGraceMs: settings.SHUTDOWN_GRACE_MS,
    stdinEnd: settings.STDIN_END,
    log: logOf(settings),
    forward: forwardOf(settings),
  });
}

function addressOf(settings: Settings, listener: ListenerPrefix): ListenAddress | "off" {
  const [host, port] = [settings[`${listener}_HOST`], settings[`${listener}_PORT`]];
  if (port === "off") return "off";
  if (socketPathOf(host) !== undefined) {
    const socketMode = Number.parseInt(settings.UNIX_SOCKET_MODE, 8);
    return Object.freeze({ host, port: 0, socketMode });
  }
  const certFile = settings[`${listener}_TLS_CERT_FILE`];
  if (certFile === "") return Object.freeze({ host, port });
  const keyFile = settings[`${listener}_TLS_KEY_FILE`];
  const clientCaFile = settings[`${listener}_TLS_CLIENT_CA_FILE`];
  return Object.freeze({ host, port, tls: Object.freeze({ certFile, keyFile, clientCaFile }) });
}

function limitsOf(settings: Settings): LimitsConfig {
  return Object.freeze({
    connections: settings.MAX_CONNECTIONS,
    connectionsPerAddress: settings.MAX_CONNECTIONS_PER_ADDRESS,
    firstRequestMs: settings.FIRST_REQUEST_TIMEOUT_MS,
    requestMs: settings.REQUEST_TIMEOUT_MS,
    idleMs: settings.IDLE_TIMEOUT_MS,
    keepaliveMs: settings.KEEPALIVE_TIME_MS,
    keepaliveTimeoutMs: settings.KEEPALIVE_TIMEOUT_MS,
    connectionAgeMs: settings.MAX_CONNECTION_AGE_MS,
    streamsPerConnection: settings.MAX_CONCURRENT_STREAMS,
    spansPerRequest: settings.MAX_SPANS_PER_REQUEST,
    nestingDepth: settings.MAX_NESTING_DEPTH,
    inFlightBytes: settings.MAX_IN_FLIGHT_BYTES,
  });
}

/**
 * Variables for a receiver that a single program uses: free ports on this machine only, without
 * TLS, tokens, forwarding and a log on disk.
 */
export const ON_FREE_PORTS = {
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  API_HOST: "127.0.0.1",
  API_PORT: "0",
  OTLP_AUTH_TOKENS_FILE: "",
  API_AUTH_TOKENS_FILE: "",
  FORWARD_ENDPOINT: "",
  DATA_DIR: "",
  DURABILITY: "",
  OTLP_GRPC_TLS_CERT_FILE: "",
  OTLP_GRPC_TLS_KEY_FILE: "",
  OTLP_GRPC_TLS_CLIENT_CA_FILE: "",
  OTLP_HTTP_TLS_CERT_FILE: "",
  OTLP_HTTP_TLS_KEY_FILE: "",
  OTLP_HTTP_TLS_CLIENT_CA_FILE: "",
  API_TLS_CERT_FILE: "",
  API_TLS_KEY_FILE: "",
  API_TLS_CLIENT_CA_FILE: "",
} as const;
