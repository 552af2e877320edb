import { expect, test } from "bun:test";
import { readConfig, type Environment, type ForwardConfig } from "../../src/config/config.ts";

function forwardFrom(env: Environment): ForwardConfig {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  if (reading.config.forward === "off") throw new Error("nothing is forwarded");
  return reading.config.forward;
}

test("an endpoint alone results in the documented defaults", () => {
  expect(forwardFrom({ FORWARD_ENDPOINT: "grpc://collector" })).toEqual({
    endpoint: { protocol: "grpc", host: "collector", port: 4317, isSecure: false },
    headers: [],
    headersFile: "",
    compression: "gzip",
    timeoutMs: 10_000,
    batchSpans: 8192,
    batchBytes: 3 * 1024 * 1024,
    maxDelayMs: 200,
    concurrency: 4,
    retryInitialMs: 1000,
    retryMaxMs: 30_000,
    highWaterPercent: 80,
    tls: { caFile: "", certFile: "", keyFile: "", isInsecure: false },
    kafkaKey: "none",
    sasl: { mechanism: "", usernameFile: "", passwordFile: "", tokenFile: "" },
    file: { maxBytes: 100 * 1024 * 1024, maxAgeMs: 86_400_000, keep: 10, fsync: "always" },
  });
});

test("every variable sets its own value", () => {
  const { headers, ...forward } = forwardFrom({
    FORWARD_ENDPOINT: "https://collector:1",
    FORWARD_PROTOCOL: "GRPC",
    FORWARD_HEADERS: "a=1,b=x%20y",
    FORWARD_HEADERS_FILE: "/h",
    FORWARD_COMPRESSION: "none",
    FORWARD_TIMEOUT_MS: "2",
    FORWARD_BATCH_SPANS: "3",
    FORWARD_BATCH_BYTES: "4KiB",
    FORWARD_MAX_DELAY_MS: "0",
    FORWARD_CONCURRENCY: "5",
    FORWARD_RETRY_INITIAL_MS: "6",
    FORWARD_RETRY_MAX_MS: "7",
    FORWARD_HIGH_WATER: "8",
    FORWARD_TLS_CA_FILE: "/ca",
    FORWARD_TLS_CERT_FILE: "/cert",
    FORWARD_TLS_KEY_FILE: "/key",
    FORWARD_TLS_INSECURE: "true",
    FORWARD_FILE_MAX_BYTES: "1GiB",
    FORWARD_FILE_MAX_AGE_MS: "0",
    FORWARD_FILE_KEEP: "9",
    FORWARD_FILE_FSYNC: "rotate",
  });

  expect(headers.map(([name, value]) => [name, value.reveal()])).toEqual([
    ["a", "1"],
    ["b", "x y"],
  ]);
  expect(forward).toEqual({
    endpoint: { protocol: "grpc", host: "collector", port: 1, isSecure: true },
    headersFile: "/h",
    compression: "none",
    timeoutMs: 2,
    batchSpans: 3,
    batchBytes: 4096,
    maxDelayMs: 0,
    concurrency: 5,
    retryInitialMs: 6,
    retryMaxMs: 7,
    highWaterPercent: 8,
    tls: { caFile: "/ca", certFile: "/cert", keyFile: "/key", isInsecure: true },
    kafkaKey: "none",
    sasl: { mechanism: "", usernameFile: "", passwordFile: "", tokenFile: "" },
    file: { maxBytes: 1024 ** 3, maxAgeMs: 0, keep: 9, fsync: "rotate" },
  });
});

test("the variables of Kafka set their own values", () => {
  const { endpoint, compression, kafkaKey, sasl } = forwardFrom({
    FORWARD_ENDPOINT: "kafka://one:1,two:2/spans",
    FORWARD_COMPRESSION: "lz4",
    FORWARD_KAFKA_KEY: "trace_id",
    FORWARD_SASL_MECHANISM: "scram-sha-512",
    FORWARD_SASL_USERNAME_FILE: "/user",
    FORWARD_SASL_PASSWORD_FILE: "/password",
  });

  const [one, two] = [
    { host: "one", port: 1 },
    { host: "two", port: 2 },
  ];
  expect({ endpoint, compression, kafkaKey, sasl }).toEqual({
    endpoint: { protocol: "kafka", brokers: [one, two], topic: "spans", isSecure: false },
    compression: "lz4",
    kafkaKey: "trace_id",
    sasl: {
      mechanism: "SCRAM-SHA-512",
      usernameFile: "/user",
      passwordFile: "/password",
      tokenFile: "",
    },
  });
});

test("the configuration of forwarding is deeply frozen", () => {
  const forward = forwardFrom({ FORWARD_ENDPOINT: "http://collector", FORWARD_HEADERS: "a=1" });

  const parts = [
    forward,
    forward.endpoint,
    forward.headers,
    forward.tls,
    forward.sasl,
    forward.file,
  ];

  expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
});

test("the configuration of forwarding contains no secret as text", () => {
  const reading = readConfig({
    FORWARD_ENDPOINT: "https://collector/v1/traces?key=hunter2",
    FORWARD_HEADERS: "authorization=hunter2",
  });

  expect(JSON.stringify(reading)).not.toContain("hunter2");
  expect(Bun.inspect(reading, { depth: 20 })).not.toContain("hunter2");
  expect(JSON.stringify(reading)).toContain("https://collector/v1/traces?***");
});
