import { describe, expect, test } from "bun:test";
import { readConfig, type ConfigReading } from "../../src/config/config.ts";

function mistakesIn(reading: ConfigReading): unknown {
  return reading.ok ? [] : reading.mistakes;
}

test.each([
  {
    name: "a format and a conflict",
    env: { LOG_LEVEL: "x", API_PORT: "4318" },
    wrong: ["LOG_LEVEL", "API_PORT"],
  },
  { name: "a port beside its default", env: { OTLP_GRPC_PORT: "x", API_PORT: "4317" } },
  { name: "a pause", env: { FORWARD_RETRY_INITIAL_MS: "x", FORWARD_RETRY_MAX_MS: "5" } },
  { name: "an endpoint", env: { FORWARD_ENDPOINT: "x y", FORWARD_TLS_CERT_FILE: "c" } },
  {
    name: "one of a pair of files",
    env: {
      FORWARD_ENDPOINT: "grpcs://up:1",
      FORWARD_TLS_CERT_FILE: "c",
      FORWARD_COMPRESSION: "x",
    },
    wrong: ["FORWARD_COMPRESSION", "FORWARD_TLS_KEY_FILE"],
  },
])("$name: all mistakes are listed at once, and no others", ({ env, wrong }) => {
  const [first] = Object.keys(env);
  const mistakes = mistakesIn(readConfig(env)) as { variable: string }[];

  expect(mistakes.map(({ variable }) => variable)).toEqual([...(wrong ?? [first!])]);
});

const TWICE = { variable: "API_PORT", value: "4317", bound: "a port other than OTLP_GRPC_PORT" };

test("turning all listeners off is a mistake", () => {
  const reading = readConfig({ OTLP_GRPC_PORT: "off", OTLP_HTTP_PORT: "off", API_PORT: "off" });

  expect(mistakesIn(reading)).toEqual([
    {
      variable: "API_PORT",
      value: "off",
      bound: "a port, because OTLP_GRPC_PORT and OTLP_HTTP_PORT are off too",
    },
  ]);
});

test.each(["OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "API_PORT"])("%s alone may be on", (only) => {
  const off = { OTLP_GRPC_PORT: "off", OTLP_HTTP_PORT: "off", API_PORT: "off" };

  expect(mistakesIn(readConfig({ ...off, [only]: "4317" }))).toEqual([]);
});

test("each listener is compared with all before it", () => {
  const reading = readConfig({ OTLP_HTTP_PORT: "4317", API_PORT: "4317" });

  expect(mistakesIn(reading)).toEqual([
    { variable: "OTLP_HTTP_PORT", value: "4317", bound: "a port other than OTLP_GRPC_PORT" },
    { variable: "API_PORT", value: "4317", bound: "a port other than OTLP_GRPC_PORT" },
  ]);
});

test("the read API cannot have the port of OTLP/HTTP", () => {
  expect(mistakesIn(readConfig({ API_PORT: "4318" }))).toEqual([
    { variable: "API_PORT", value: "4318", bound: "a port other than OTLP_HTTP_PORT" },
  ]);
});

const INSECURE = { API_INSECURE: "true" };

test.each([
  { name: "the same host", hosts: ["10.0.0.1", "10.0.0.1"], mistakes: [TWICE] },
  { name: "every IPv4 address and one", hosts: ["0.0.0.0", "127.0.0.1"], mistakes: [TWICE] },
  { name: "one and every IPv4 address", hosts: ["127.0.0.1", "0.0.0.0"], mistakes: [TWICE] },
  { name: "every address and one", hosts: ["::", "127.0.0.1"], mistakes: [TWICE] },
  { name: "two hosts", hosts: ["127.0.0.1", "127.0.0.2"], mistakes: [] },
  { name: "every IPv4 address and an IPv6 one", hosts: ["0.0.0.0", "::1"], mistakes: [] },
])("one port is a mistake on overlapping hosts: $name", ({ hosts, mistakes }) => {
  const [OTLP_GRPC_HOST, API_HOST] = hosts;

  const reading = readConfig({ ...INSECURE, OTLP_GRPC_HOST, API_HOST, API_PORT: "4317" });

  expect(mistakesIn(reading)).toEqual(mistakes);
});

const EXPOSED = {
  variable: "API_HOST",
  bound:
    "a loopback address such as 127.0.0.1, unless API_AUTH_TOKENS_FILE or API_TLS_CERT_FILE " +
    "is set, or " +
    "API_INSECURE=true lets anyone who can reach it read and remove spans",
};

test.each(["0.0.0.0", "::", "192.0.2.1", "edge-1.example", "::ffff:10.0.0.1"])(
  "the read API is not open to everyone on %s, unless that is intended",
  (API_HOST) => {
    const open = mistakesIn(readConfig({ API_HOST }));
    const tls = { API_TLS_CERT_FILE: "cert.pem", API_TLS_KEY_FILE: "key.pem" };
    const others = [INSECURE, { API_AUTH_TOKENS_FILE: "tokens" }, tls, { API_PORT: "off" }];

    expect(open).toEqual([{ ...EXPOSED, value: API_HOST }]);
    expect(others.flatMap((env) => mistakesIn(readConfig({ API_HOST, ...env })))).toEqual([]);
  },
);

const OWN_CERTIFICATE = { API_TLS_CERT_FILE: "cert.pem", API_TLS_KEY_FILE: "key.pem" };

test.each<{ name: string; env: Record<string, string>; warned: string[] }>([
  { name: "its own certificate", env: {}, warned: ["API_TLS_CERT_FILE"] },
  { name: "a loopback address", env: { API_HOST: "127.0.0.1" }, warned: [] },
  { name: "certificates of clients", env: { API_TLS_CLIENT_CA_FILE: "ca.pem" }, warned: [] },
  { name: "tokens", env: { API_AUTH_TOKENS_FILE: "tokens" }, warned: [] },
  { name: "a risk that is intended", env: INSECURE, warned: [] },
  { name: "a listener that is off", env: { API_PORT: "off" }, warned: [] },
])("a read API with $name warns that it asks no client who it is: $warned", ({ env, warned }) => {
  const { warnings } = readConfig({ API_HOST: "0.0.0.0", ...OWN_CERTIFICATE, ...env });

  expect(warnings.map(({ variable }) => variable)).toEqual(warned);
});

test.each([
  "127.0.0.1",
  "127.8.0.1",
  "::1",
  "localhost",
  "LOCALHOST",
  "::ffff:127.0.0.1",
  "unix:/a",
])("the read API may be open to everyone on %s", (API_HOST) => {
  expect(mistakesIn(readConfig({ API_HOST }))).toEqual([]);
});

test.each([
  {
    name: "requests larger than the buffer",
    env: { GRPC_MAX_MESSAGE_LENGTH: "32MiB", MAX_BUFFER_BYTES: "31MiB" },
    warnings: ["MAX_BUFFER_BYTES less than GRPC_MAX_MESSAGE_LENGTH"],
  },
  {
    name: "requests over HTTP larger than the buffer",
    env: { MAX_BUFFER_BYTES: "19MiB" },
    warnings: ["MAX_BUFFER_BYTES less than HTTP_MAX_BODY_LENGTH"],
  },
  {
    name: "requests larger than the budget in flight",
    env: { MAX_IN_FLIGHT_BYTES: "1MiB" },
    warnings: ["MAX_IN_FLIGHT_BYTES less than HTTP_MAX_BODY_LENGTH"],
  },
  {
    name: "limits of listeners that are off",
    env: { MAX_BUFFER_BYTES: "1MiB", OTLP_GRPC_PORT: "off", OTLP_HTTP_PORT: "off" },
    warnings: [],
  },
  {
    name: "requests as large as the buffer",
    env: { GRPC_MAX_MESSAGE_LENGTH: "64MiB" },
    warnings: [],
  },
])("$name cause the warnings $warnings", ({ env, warnings }) => {
  const reading = readConfig(env);

  const warned = reading.warnings.map(({ variable, message }) => `${variable} ${message}`);
  expect(reading.ok).toBe(true);
  expect(warned.map((text) => text.split(" (")[0]!)).toEqual([...warnings]);
});

describe.each(["OTLP_GRPC", "OTLP_HTTP", "API"])("the TLS files of %s", (prefix) => {
  const [cert, key] = [`${prefix}_TLS_CERT_FILE`, `${prefix}_TLS_KEY_FILE`];
  const clientCa = `${prefix}_TLS_CLIENT_CA_FILE`;

  test.each([
    { name: "a certificate without its key", given: [cert], missing: [key] },
    { name: "a key without its certificate", given: [key], missing: [cert] },
    { name: "authorities without a certificate", given: [clientCa], missing: [cert, key] },
  ])("$name is a mistake", ({ given, missing }) => {
    const reading = readConfig(Object.fromEntries(given.map((name) => [name, "x.pem"])));

    const bound = `set, because ${given[0]} is set`;
    const mistakes = missing.map((variable) => ({ variable, value: "", bound }));
    expect(mistakesIn(reading)).toEqual(mistakes);
  });

  test("a certificate and its key are enough", () => {
    const reading = readConfig({ [cert]: "cert.pem", [key]: "key.pem" });

    const listener = { OTLP_GRPC: "grpc", OTLP_HTTP: "http", API: "api" }[prefix]!;
    expect(reading).toMatchObject({
      config: { [listener]: { tls: { certFile: "cert.pem", keyFile: "key.pem" } } },
    });
  });
});

describe("Unix sockets", () => {
  const long = `unix:/${"x".repeat(107)}`;

  test.each(["unix:relative", "unix:", "unix:/", "unix:/folder/", long])(
    "%s is no address",
    (API_HOST) => {
      const [mistake] = mistakesIn(readConfig({ API_HOST })) as { variable: string }[];

      expect(mistake?.variable).toBe("API_HOST");
    },
  );

  test("have no port, so that two with the same port do not conflict", () => {
    const env = { API_HOST: "unix:/run/a", OTLP_GRPC_HOST: "unix:/run/b", API_PORT: "4317" };

    expect(readConfig(env)).toMatchObject({
      ok: true,
      config: { api: { host: "unix:/run/a", port: 0, socketMode: 0o660 } },
    });
  });

  test("of two listeners must differ", () => {
    const env = { API_HOST: "unix:/run/a", OTLP_GRPC_HOST: "unix:/run/a" };

    expect(mistakesIn(readConfig(env))).toEqual([
      { variable: "API_HOST", value: "unix:/run/a", bound: "a path other than OTLP_GRPC_HOST" },
    ]);
  });

  test("may be the same if one listener is off", () => {
    const hosts = { API_HOST: "unix:/run/a", OTLP_GRPC_HOST: "unix:/run/a" };

    expect(mistakesIn(readConfig({ ...hosts, OTLP_GRPC_PORT: "off" }))).toEqual([]);
  });

  test("have no TLS", () => {
    const files = { API_TLS_CERT_FILE: "cert.pem", API_TLS_KEY_FILE: "key.pem" };

    expect(mistakesIn(readConfig({ API_HOST: "unix:/run/a", ...files }))).toEqual([
      {
        variable: "API_TLS_CERT_FILE",
        value: "cert.pem",
        bound: "unset, because API_HOST is a Unix socket",
      },
    ]);
  });

  test.each(["66", "0999", "rw", "07777"])("%s is no mode", (UNIX_SOCKET_MODE) => {
    expect(mistakesIn(readConfig({ UNIX_SOCKET_MODE }))).toMatchObject([
      { variable: "UNIX_SOCKET_MODE", bound: "a mode in octal such as 0660" },
    ]);
  });
});

test.each(["process", "stop"])("DURABILITY=%s needs a directory", (DURABILITY) => {
  expect(mistakesIn(readConfig({ DURABILITY }))).toEqual([
    { variable: "DATA_DIR", value: "", bound: `a directory, because DURABILITY is ${DURABILITY}` },
  ]);
  expect(mistakesIn(readConfig({ DURABILITY, DATA_DIR: "/data" }))).toEqual([]);
});

test("DISK_FAILURE=memory needs a directory", () => {
  const memory = { DISK_FAILURE: "memory" };

  expect(mistakesIn(readConfig(memory))).toEqual([
    { variable: "DATA_DIR", value: "", bound: "a directory, because DISK_FAILURE is memory" },
  ]);
  expect(mistakesIn(readConfig({ ...memory, DATA_DIR: "/data" }))).toEqual([]);
});

test.each([
  { variable: "DURABILITY", value: "stop" },
  { variable: "OVERFLOW_POLICY", value: "refuse" },
])("DISK_FAILURE=memory contradicts $variable=$value", ({ variable, value }) => {
  const settings = { DISK_FAILURE: "memory", DATA_DIR: "/data", [variable]: value };

  expect(mistakesIn(readConfig(settings))).toEqual([
    { variable: "DISK_FAILURE", value: "memory", bound: `refuse, because ${variable} is ${value}` },
  ]);
  expect(mistakesIn(readConfig({ ...settings, DISK_FAILURE: "refuse" }))).toEqual([]);
});

test("the former spill file is refused, with what replaces it", () => {
  expect(mistakesIn(readConfig({ SHUTDOWN_SPILL_FILE: "/spool/spans.binpb" }))).toEqual([
    {
      variable: "SHUTDOWN_SPILL_FILE",
      value: "/spool/spans.binpb",
      bound: expect.stringMatching(/^unset: .*DATA_DIR.*DURABILITY=stop/),
    },
  ]);
  expect(mistakesIn(readConfig({ SHUTDOWN_SPILL_FILE: "" }))).toEqual([]);
});
