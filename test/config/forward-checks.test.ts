import { expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { readConfig, type Environment } from "../../src/config/config.ts";
import { isListenerAt, ownAddresses } from "../../src/config/forward-checks.ts";

const own = () => ["edge-1", "10.0.0.5"];

function mistakesIn(env: Environment): string[] {
  const reading = readConfig(env, own);
  const mistakes = reading.ok ? [] : reading.mistakes;
  return mistakes.map(({ variable, value, bound }) => `${variable}="${value}": must be ${bound}`);
}

const TLS = { FORWARD_ENDPOINT: "grpcs://up" };
const CIRCLE = "listens there, so spans would loop";
const READERS = "listens there, for readers only";
const NO_TLS = "unset for an endpoint without TLS; use https://, grpcs:// or kafkas://";

test.each<{ name: string; env: Environment; mistakes: string[] }>([
  {
    name: "a user in the endpoint",
    env: { FORWARD_ENDPOINT: "https://user:secret@up" },
    mistakes: [
      'FORWARD_ENDPOINT="https://***@up": must be without user and password; ' +
        "set FORWARD_HEADERS instead",
    ],
  },
  {
    name: "a password alone",
    env: { FORWARD_ENDPOINT: "grpc://:secret@up" },
    mistakes: [
      'FORWARD_ENDPOINT="grpc://***@up": must be without user and password; ' +
        "set FORWARD_HEADERS instead",
    ],
  },
  {
    name: "a path for gRPC",
    env: { FORWARD_ENDPOINT: "grpc://up/v1/traces" },
    mistakes: ['FORWARD_ENDPOINT="grpc://up/v1/traces": must be without a path for gRPC'],
  },
  {
    name: "a query for gRPC",
    env: { FORWARD_ENDPOINT: "http://up?key=secret", FORWARD_PROTOCOL: "grpc" },
    mistakes: ['FORWARD_ENDPOINT="http://up?***": must be without a path for gRPC'],
  },
  {
    name: "a file without a known format",
    env: { FORWARD_ENDPOINT: "file:///spans.log" },
    mistakes: [
      'FORWARD_ENDPOINT="file:///spans.log": must be a file that ends in ' +
        ".json, .jsonl, .ndjson, .binpb, .pb, .proto",
    ],
  },
  {
    name: "a file with a query",
    env: { FORWARD_ENDPOINT: "file:///spans.jsonl?a" },
    mistakes: ['FORWARD_ENDPOINT="file:///spans.jsonl?***": must be without a query for a file'],
  },
  {
    name: "HTTP over grpc://",
    env: { FORWARD_ENDPOINT: "grpc://up", FORWARD_PROTOCOL: "http/protobuf" },
    mistakes: ['FORWARD_PROTOCOL="http/protobuf": must be unset for an endpoint of grpc'],
  },
  {
    name: "zstd over gRPC",
    env: { FORWARD_ENDPOINT: "grpc://up", FORWARD_COMPRESSION: "zstd" },
    mistakes: [
      'FORWARD_COMPRESSION="zstd": must be gzip or none for gRPC, which does not support zstd',
    ],
  },
  {
    name: "settings that do not apply to a file",
    env: {
      FORWARD_ENDPOINT: "file:///spans.jsonl",
      FORWARD_PROTOCOL: "grpc",
      FORWARD_HEADERS: "a=secret",
      FORWARD_HEADERS_FILE: "/h",
      FORWARD_TLS_CA_FILE: "/ca",
    },
    mistakes: [
      'FORWARD_PROTOCOL="grpc": must be unset for an endpoint of file',
      'FORWARD_HEADERS="a=***": must be unset for a file, which has no headers',
      'FORWARD_HEADERS_FILE="/h": must be unset for a file, which has no headers',
      `FORWARD_TLS_CA_FILE="/ca": must be ${NO_TLS}`,
    ],
  },
  {
    name: "TLS for a plain endpoint",
    env: {
      FORWARD_ENDPOINT: "http://up",
      FORWARD_TLS_CA_FILE: "/ca",
      FORWARD_TLS_CERT_FILE: "/cert",
      FORWARD_TLS_KEY_FILE: "/key",
      FORWARD_TLS_INSECURE: "true",
    },
    mistakes: [
      `FORWARD_TLS_CA_FILE="/ca": must be ${NO_TLS}`,
      `FORWARD_TLS_CERT_FILE="/cert": must be ${NO_TLS}`,
      `FORWARD_TLS_KEY_FILE="/key": must be ${NO_TLS}`,
      `FORWARD_TLS_INSECURE="true": must be ${NO_TLS}`,
    ],
  },
  {
    name: "a certificate without its key",
    env: { ...TLS, FORWARD_TLS_CERT_FILE: "/cert" },
    mistakes: ['FORWARD_TLS_KEY_FILE="": must be set, because FORWARD_TLS_CERT_FILE is set'],
  },
  {
    name: "a key without its certificate",
    env: { ...TLS, FORWARD_TLS_KEY_FILE: "/key" },
    mistakes: ['FORWARD_TLS_CERT_FILE="": must be set, because FORWARD_TLS_KEY_FILE is set'],
  },
  {
    name: "a maximum pause below the initial one",
    env: { FORWARD_RETRY_INITIAL_MS: "500", FORWARD_RETRY_MAX_MS: "499" },
    mistakes: ['FORWARD_RETRY_MAX_MS="499": must be at least FORWARD_RETRY_INITIAL_MS'],
  },
  {
    name: "its own gRPC listener",
    env: { FORWARD_ENDPOINT: "grpc://localhost" },
    mistakes: [
      `FORWARD_ENDPOINT="grpc://localhost": must be somewhere else: OTLP_GRPC_PORT ${CIRCLE}`,
    ],
  },
  {
    name: "its own HTTP listener, by the machine's address",
    env: { FORWARD_ENDPOINT: "http://10.0.0.5:4318" },
    mistakes: [
      `FORWARD_ENDPOINT="http://10.0.0.5:4318": must be somewhere else: OTLP_HTTP_PORT ${CIRCLE}`,
    ],
  },
  {
    name: "its own read API",
    env: { FORWARD_ENDPOINT: "http://127.0.0.1:4319" },
    mistakes: [
      `FORWARD_ENDPOINT="http://127.0.0.1:4319": must be somewhere else: API_PORT ${READERS}`,
    ],
  },
  {
    name: "several mistakes at once",
    env: {
      API_PORT: "4317",
      FORWARD_ENDPOINT: "grpc://u@up/x",
      FORWARD_COMPRESSION: "zstd",
      FORWARD_TLS_INSECURE: "true",
      FORWARD_RETRY_MAX_MS: "1",
    },
    mistakes: [
      expect.stringContaining("API_PORT="),
      expect.stringContaining("without user"),
      expect.stringContaining("without a path"),
      expect.stringContaining("FORWARD_COMPRESSION="),
      expect.stringContaining("FORWARD_TLS_INSECURE="),
      expect.stringContaining("FORWARD_RETRY_MAX_MS="),
    ] as string[],
  },
])("the mistakes of $name are reported", ({ env, mistakes }) => {
  expect(mistakesIn(env)).toEqual(mistakes);
});

test.each<{ name: string; env: Environment }>([
  { name: "another machine's receiver", env: { FORWARD_ENDPOINT: "grpc://collector:4317" } },
  { name: "another receiver on this machine", env: { FORWARD_ENDPOINT: "grpc://127.0.0.1:14317" } },
  {
    name: "the default port while our listener is off",
    env: { FORWARD_ENDPOINT: "grpc://127.0.0.1:4317", OTLP_GRPC_PORT: "off" },
  },
  {
    name: "any free port",
    env: { FORWARD_ENDPOINT: "http://127.0.0.1:14318", OTLP_HTTP_PORT: "0" },
  },
  {
    name: "mutual TLS",
    env: { ...TLS, FORWARD_TLS_CERT_FILE: "/cert", FORWARD_TLS_KEY_FILE: "/key" },
  },
  { name: "zstd over HTTP", env: { FORWARD_ENDPOINT: "http://up", FORWARD_COMPRESSION: "zstd" } },
  { name: "a file", env: { FORWARD_ENDPOINT: "file:///spool/spans.binpb" } },
  {
    name: "unused settings without an endpoint",
    env: { FORWARD_HEADERS: "a=1", FORWARD_TLS_CERT_FILE: "/cert" },
  },
])("$name is valid", ({ env }) => {
  expect(mistakesIn(env)).toEqual([]);
});

test.each([
  ["FORWARD_ENDPOINT", "user:secret@up:4317", "***@up:4317"],
  ["FORWARD_ENDPOINT", "http//up?key=secret", "http//up?***"],
  ["FORWARD_HEADERS", "authorization: Bearer secret", "***"],
  ["FORWARD_HEADERS", "a=1,content-type=secret", "***"],
])("a mistake in %s shows, instead of %s, %s", (variable, value, shown) => {
  const reading = readConfig({ [variable]: value }, own);

  expect(reading).toMatchObject({ ok: false, mistakes: [{ variable, value: shown }] });
  expect(JSON.stringify(reading)).not.toContain("secret");
});

const UNUSED = "has no effect, because FORWARD_ENDPOINT is not set";

test.each<{ name: string; env: Environment; warnings: string[] }>([
  { name: "an empty environment", env: {}, warnings: [] },
  { name: "TLS", env: { FORWARD_ENDPOINT: "https://up" }, warnings: [] },
  {
    name: "the port of gRPC in a URL of HTTP",
    env: { FORWARD_ENDPOINT: "http://up:4317", FORWARD_PROTOCOL: "grpc" },
    warnings: [],
  },
  {
    name: "the port of gRPC with the protocol HTTP",
    env: { FORWARD_ENDPOINT: "http://up:4317" },
    warnings: [
      "FORWARD_ENDPOINT: 4317 is the OTLP/gRPC port: use grpc://, or FORWARD_PROTOCOL=grpc",
    ],
  },
  {
    name: "TLS without verification",
    env: { FORWARD_ENDPOINT: "https://up", FORWARD_TLS_INSECURE: "true" },
    warnings: [
      "FORWARD_TLS_INSECURE: certificates are not verified: " +
        "any server that answers receives spans and headers",
    ],
  },
  {
    name: "settings of forwarding without an endpoint",
    env: { FORWARD_HEADERS: "a=1", FORWARD_PROTOCOL: "grpc", FORWARD_TLS_KEY_FILE: "/key" },
    warnings: [
      `FORWARD_PROTOCOL: ${UNUSED}`,
      `FORWARD_HEADERS: ${UNUSED}`,
      `FORWARD_TLS_KEY_FILE: ${UNUSED}`,
    ],
  },
])("the warnings of $name are reported", ({ env, warnings }) => {
  const warned = readConfig(env, own).warnings;

  expect(warned.map(({ variable, message }) => `${variable}: ${message}`)).toEqual(warnings);
});

const addresses = () => ["edge-1", "10.0.0.5", "fe80::1"];

test.each([
  { listens: "0.0.0.0", target: "127.0.0.1", isMet: true },
  { listens: "0.0.0.0", target: "localhost", isMet: true },
  { listens: "0.0.0.0", target: "0.0.0.0", isMet: true },
  { listens: "0.0.0.0", target: "10.0.0.5", isMet: true },
  { listens: "0.0.0.0", target: "EDGE-1", isMet: true },
  { listens: "0.0.0.0", target: "10.0.0.6", isMet: false },
  { listens: "0.0.0.0", target: "collector", isMet: false },
  { listens: "0.0.0.0", target: "127.1", isMet: true },
  { listens: "0.0.0.0", target: "[::ffff:127.0.0.1]", isMet: true },
  { listens: "0.0.0.0", target: "[::ffff:10.0.0.5]", isMet: true },
  { listens: "0.0.0.0", target: "localhost.", isMet: true },
  { listens: "0.0.0.0", target: "edge-1.", isMet: true },
  { listens: "0.0.0.0", target: "2130706433", isMet: true },
  { listens: "127.1", target: "127.0.0.1", isMet: true },
  { listens: "::ffff:0.0.0.0", target: "10.0.0.5", isMet: true },
  { listens: "::", target: "[::1]", isMet: true },
  { listens: "::", target: "[fe80::1]", isMet: true },
  { listens: "127.0.0.1", target: "localhost", isMet: true },
  { listens: "127.0.0.1", target: "10.0.0.5", isMet: false },
  { listens: "localhost", target: "127.0.0.1", isMet: true },
  { listens: "10.0.0.5", target: "10.0.0.5", isMet: true },
  { listens: "10.0.0.5", target: "127.0.0.1", isMet: false },
])(
  "a connection to $target reaches a listener at $listens: $isMet",
  ({ listens, target, isMet }) => {
    const at = (port: number) => ({ host: target, port });

    expect(isListenerAt({ host: listens, port: 4317 }, at(4317), addresses)).toBe(isMet);
    expect(isListenerAt({ host: listens, port: 4317 }, at(4318), addresses)).toBe(false);
    expect(isListenerAt({ host: listens, port: "off" }, at(4317), addresses)).toBe(false);
  },
);

test("addresses of this machine are recognised", () => {
  const [[address] = []] = Object.values(networkInterfaces());

  expect(ownAddresses()).toContain(address!.address);
});
