import { expect, test } from "bun:test";
import { createRingMemory } from "../../src/application/ring/ring-memory.ts";
import {
  readConfig,
  type Config,
  type Environment,
  type Mistake,
} from "../../src/config/config.ts";

const MIB = 1024 * 1024;

function configFrom(env: Environment): Config {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  return reading.config;
}

function mistakesIn(env: Environment): readonly Mistake[] {
  const reading = readConfig(env);
  return reading.ok ? [] : reading.mistakes;
}

test("an empty environment results in the documented defaults", () => {
  expect(configFrom({})).toEqual({
    grpc: { host: "0.0.0.0", port: 4317 },
    http: { host: "0.0.0.0", port: 4318 },
    api: { host: "127.0.0.1", port: 4319 },
    tokens: { otlpFile: "", apiFile: "" },
    maxMessageBytes: 4_194_304,
    maxBodyBytes: 20 * MIB,
    corsOrigins: [],
    unsupportedSignals: "accept",
    buffer: { maxSpans: 10_000, maxBytes: 64 * MIB, overflowPolicy: "drop_oldest" },
    limits: {
      connections: 1000,
      connectionsPerAddress: 200,
      firstRequestMs: 10_000,
      requestMs: 60_000,
      idleMs: 300_000,
      keepaliveMs: 60_000,
      keepaliveTimeoutMs: 20_000,
      connectionAgeMs: 1_800_000,
      streamsPerConnection: 100,
      spansPerRequest: 100_000,
      nestingDepth: 100,
      inFlightBytes: 64 * MIB,
    },
    logLevel: "INFO",
    logFormat: "auto",
    shutdownGraceMs: 5000,
    stdinEnd: "ignore",
    log: "off",
    forward: "off",
  });
});

test("the configuration is deeply frozen", () => {
  const config = configFrom({});

  const parts = [config, config.grpc, config.http, config.api, config.buffer, config.limits];
  const lists = [config.corsOrigins, config.tokens];

  expect([...parts, ...lists].filter((part) => !Object.isFrozen(part))).toEqual([]);
});

test("every variable sets its own value", () => {
  const config = configFrom({
    OTLP_GRPC_HOST: "::1",
    OTLP_GRPC_PORT: "1",
    OTLP_HTTP_HOST: "::2",
    OTLP_HTTP_PORT: "17",
    OTLP_HTTP_CORS_ORIGINS: "http://a.example, https://b.example:8443",
    UNSUPPORTED_SIGNALS: "reject",
    HTTP_MAX_BODY_LENGTH: "18",
    API_HOST: "localhost",
    API_PORT: "2",
    OTLP_AUTH_TOKENS_FILE: "/senders",
    API_AUTH_TOKENS_FILE: "/readers",
    GRPC_MAX_MESSAGE_LENGTH: "3",
    MAX_BUFFER_SIZE: "4",
    MAX_BUFFER_BYTES: "5000",
    OVERFLOW_POLICY: "refuse",
    MAX_CONNECTIONS: "6",
    MAX_CONNECTIONS_PER_ADDRESS: "7",
    FIRST_REQUEST_TIMEOUT_MS: "8",
    REQUEST_TIMEOUT_MS: "88",
    IDLE_TIMEOUT_MS: "9",
    KEEPALIVE_TIME_MS: "10",
    KEEPALIVE_TIMEOUT_MS: "11",
    MAX_CONNECTION_AGE_MS: "12",
    MAX_CONCURRENT_STREAMS: "13",
    MAX_SPANS_PER_REQUEST: "14",
    MAX_NESTING_DEPTH: "15",
    MAX_IN_FLIGHT_BYTES: "16",
    LOG_LEVEL: "DEBUG",
    LOG_FORMAT: "text",
    SHUTDOWN_GRACE_MS: "0",
    STDIN_END: "stop",
  });

  expect(config).toEqual({
    grpc: { host: "::1", port: 1 },
    http: { host: "::2", port: 17 },
    api: { host: "localhost", port: 2 },
    tokens: { otlpFile: "/senders", apiFile: "/readers" },
    maxMessageBytes: 3,
    maxBodyBytes: 18,
    corsOrigins: ["http://a.example", "https://b.example:8443"],
    unsupportedSignals: "reject",
    buffer: { maxSpans: 4, maxBytes: 5000, overflowPolicy: "refuse" },
    limits: {
      connections: 6,
      connectionsPerAddress: 7,
      firstRequestMs: 8,
      requestMs: 88,
      idleMs: 9,
      keepaliveMs: 10,
      keepaliveTimeoutMs: 11,
      connectionAgeMs: 12,
      streamsPerConnection: 13,
      spansPerRequest: 14,
      nestingDepth: 15,
      inFlightBytes: 16,
    },
    logLevel: "DEBUG",
    logFormat: "text",
    shutdownGraceMs: 0,
    stdinEnd: "stop",
    log: "off",
    forward: "off",
  });
});

test.each([
  { name: "off disables a listener", env: { API_PORT: "off" }, part: { api: "off" } },
  {
    name: "port 0 is any free port",
    env: { OTLP_GRPC_PORT: "0" },
    part: { grpc: { host: "0.0.0.0", port: 0 } },
  },
  {
    name: "all listeners may take any free port",
    env: { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0", OTLP_GRPC_HOST: "127.0.0.1" },
    part: { grpc: { host: "127.0.0.1", port: 0 }, api: { host: "127.0.0.1", port: 0 } },
  },
  {
    name: "one port may serve two addresses",
    env: { OTLP_GRPC_HOST: "127.0.0.2", API_PORT: "4317" },
    part: { api: { host: "127.0.0.1", port: 4317 } },
  },
  {
    name: "an asterisk allows any origin",
    env: { OTLP_HTTP_CORS_ORIGINS: "*" },
    part: { corsOrigins: ["*"] },
  },
  { name: "empty counts as unset", env: { LOG_LEVEL: "" }, part: { logLevel: "INFO" } },
  { name: "words may be in any case", env: { LOG_LEVEL: "debug" }, part: { logLevel: "DEBUG" } },
  {
    name: "a size may be in KiB",
    env: { GRPC_MAX_MESSAGE_LENGTH: "16KiB" },
    part: { maxMessageBytes: 16_384 },
  },
  {
    name: "a size may be in MiB",
    env: { GRPC_MAX_MESSAGE_LENGTH: "16MiB" },
    part: { maxMessageBytes: 16 * MIB },
  },
  {
    name: "a size may be in GiB",
    env: { GRPC_MAX_MESSAGE_LENGTH: "1GiB" },
    part: { maxMessageBytes: 1024 * MIB },
  },
])("$name", ({ env, part }) => {
  expect(configFrom(env)).toMatchObject(part);
});

test.each([
  ["MAX_BUFFER_SIZE", "1", "13000000"],
  ["MAX_BUFFER_BYTES", "4096", "3221225472"],
  ["GRPC_MAX_MESSAGE_LENGTH", "1", "1073741824"],
  ["OTLP_GRPC_PORT", "0", "65535"],
  ["SHUTDOWN_GRACE_MS", "0", "86400000"],
  ["MAX_NESTING_DEPTH", "10", "100"],
])("%s must be from %s to %s", (variable, minimum, maximum) => {
  const beyond = String(Number(maximum) + 1);

  expect(mistakesIn({ [variable]: minimum })).toEqual([]);
  expect(mistakesIn({ [variable]: maximum })).toEqual([]);
  expect(mistakesIn({ [variable]: beyond })).toMatchObject([{ variable, value: beyond }]);
  expect(mistakesIn({ [variable]: String(Number(minimum) - 1) })).toHaveLength(1);
});

test.each([
  "-1",
  "+1",
  "1.5",
  "1e3",
  "0x10",
  " 1",
  "1 ",
  "ten",
  "10k",
  "10 MiB",
  "10MB",
  "NaN",
  "Infinity",
  "9".repeat(400),
  "١",
])("%p is not a size", (text) => {
  expect(mistakesIn({ MAX_BUFFER_BYTES: text })).toHaveLength(1);
});

test.each([
  "shop.example",
  "http://shop.example/",
  "http://shop.example/path",
  "http://shop.example:80",
  "HTTP://shop.example",
  "https://*.shop.example",
  "null",
  "http://a.example,",
])("%p is not a list of origins", (text) => {
  expect(mistakesIn({ OTLP_HTTP_CORS_ORIGINS: text })).toHaveLength(1);
});

test("a ring can be created with both maximum capacities", () => {
  const { buffer } = configFrom({ MAX_BUFFER_SIZE: "13000000", MAX_BUFFER_BYTES: "3GiB" });

  const ring = createRingMemory({ spans: buffer.maxSpans, bytes: buffer.maxBytes });

  expect(ring.arena).toHaveLength(3 * 1024 * MIB);
});

test("every mistake is listed at once, with variable, value and bound", () => {
  const mistakes = mistakesIn({
    OTLP_GRPC_PORT: "65536",
    MAX_BUFFER_SIZE: "0",
    MAX_BUFFER_BYTES: "lots",
    OVERFLOW_POLICY: "block",
    LOG_LEVEL: "LOUD",
  });

  expect(mistakes).toEqual([
    {
      variable: "OTLP_GRPC_PORT",
      value: "65536",
      bound: "a port from 1 to 65535, 0 for any free port, or off",
    },
    {
      variable: "MAX_BUFFER_SIZE",
      value: "0",
      bound: "a whole number of spans from 1 to 13000000",
    },
    {
      variable: "MAX_BUFFER_BYTES",
      value: "lots",
      bound: "a whole number of bytes, KiB, MiB or GiB from 4KiB to 3GiB",
    },
    { variable: "OVERFLOW_POLICY", value: "block", bound: "one of drop_oldest, refuse" },
    { variable: "LOG_LEVEL", value: "LOUD", bound: "one of DEBUG, INFO, WARNING, ERROR" },
  ]);
});

test("a mistaken value is shown escaped and truncated to 256 bytes", () => {
  const value = `\u001b[31m${"x".repeat(1000)}`;

  const [mistake] = mistakesIn({ LOG_LEVEL: value });

  expect(mistake?.value.startsWith("\\x1b[31mxxx")).toBe(true);
  expect(Buffer.byteLength(mistake?.value ?? "")).toBe(256);
});

test("the settings are the resolved values by variable", () => {
  const reading = readConfig({ MAX_BUFFER_BYTES: "1MiB", LOG_LEVEL: "error" });

  expect(reading).toMatchObject({
    ok: true,
    settings: { MAX_BUFFER_BYTES: MIB, LOG_LEVEL: "ERROR", OTLP_GRPC_PORT: 4317 },
  });
});

test("only the given environment is read", () => {
  const before = process.env["MAX_BUFFER_SIZE"];
  process.env["MAX_BUFFER_SIZE"] = "7";

  const config = configFrom({});
  if (before === undefined) delete process.env["MAX_BUFFER_SIZE"];

  expect(config.buffer.maxSpans).toBe(10_000);
});
