import { expect, test } from "bun:test";
import { childEnvironment } from "../../../../src/adapters/cli/run/child-environment.ts";

const receiver = { ports: { grpc: 11, http: 22, api: 33 } };

test.each([
  { protocol: "http/protobuf", endpoint: "http://127.0.0.1:22" },
  { protocol: "http/json", endpoint: "http://127.0.0.1:22" },
  { protocol: "grpc", endpoint: "http://127.0.0.1:11" },
] as const)("with $protocol, the command exports to $endpoint", ({ protocol, endpoint }) => {
  const env = childEnvironment({ PATH: "/bin" }, receiver, protocol);

  expect(env).toEqual({
    PATH: "/bin",
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_BSP_SCHEDULE_DELAY: "100",
    SPANRING_URL: "http://127.0.0.1:33",
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
  });
});

const ADDED = ",127.0.0.1,localhost";

test.each([
  { set: { NO_PROXY: "a.b" }, NO_PROXY: `a.b${ADDED}`, no_proxy: `a.b${ADDED}` },
  { set: { no_proxy: "a.b" }, NO_PROXY: `a.b${ADDED}`, no_proxy: `a.b${ADDED}` },
  { set: { NO_PROXY: "a", no_proxy: "b" }, NO_PROXY: `a${ADDED}`, no_proxy: `b${ADDED}` },
  { set: { NO_PROXY: "*" }, NO_PROXY: "*", no_proxy: "*" },
])("the command connects to the receiver without a proxy: $set", ({ set, NO_PROXY, no_proxy }) => {
  const env = childEnvironment(set, receiver, "http/protobuf");

  expect(env).toMatchObject({ NO_PROXY, no_proxy });
});

test("variables of the user are kept, except those that would send spans elsewhere", () => {
  const set = {
    OTEL_TRACES_EXPORTER: "otlp,console",
    OTEL_BSP_SCHEDULE_DELAY: "9",
    OTEL_SERVICE_NAME: "shop",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318/v1/traces",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
  };

  const env = childEnvironment(set, receiver, "http/protobuf");

  expect(env).toMatchObject({
    OTEL_TRACES_EXPORTER: "otlp,console",
    OTEL_BSP_SCHEDULE_DELAY: "9",
    OTEL_SERVICE_NAME: "shop",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:22",
  });
  expect(Object.keys(env).filter((name) => name.includes("TRACES_"))).toEqual([
    "OTEL_TRACES_EXPORTER",
  ]);
});

test("a token for another spanring stays with it", () => {
  const env = childEnvironment({ SPANRING_TOKEN: "secret" }, receiver, "grpc");

  expect(env).not.toHaveProperty("SPANRING_TOKEN");
});
