import { expect, test } from "bun:test";
import { readConfig, type Environment } from "../../src/config/config.ts";

test.each([
  { slip: "MAX_BUFER_SIZE", meant: "MAX_BUFFER_SIZE" },
  { slip: "OTLP_GRPC_PROT", meant: "OTLP_GRPC_PORT" },
  { slip: "MAX_BUFFER_BYTE", meant: "MAX_BUFFER_BYTES" },
  { slip: "max_buffer_size", meant: "MAX_BUFFER_SIZE" },
  // A missing or wrong unit.
  { slip: "SHUTDOWN_GRACE", meant: "SHUTDOWN_GRACE_MS" },
  { slip: "SHUTDOWN_GRACE_SEC", meant: "SHUTDOWN_GRACE_MS" },
  { slip: "SHUTDOWN_GRACE_SECONDS", meant: "SHUTDOWN_GRACE_MS" },
  { slip: "FORWARD_TIMEOUT", meant: "FORWARD_TIMEOUT_MS" },
  { slip: "forward_timeout", meant: "FORWARD_TIMEOUT_MS" },
  { slip: "FORWARD_RETRY_MAX", meant: "FORWARD_RETRY_MAX_MS" },
  { slip: "IDLE_TIMEOUT", meant: "IDLE_TIMEOUT_MS" },
  { slip: "KEEPALIVE_TIME", meant: "KEEPALIVE_TIME_MS" },
  { slip: "MAX_CONNECTION_AGE", meant: "MAX_CONNECTION_AGE_MS" },
  { slip: "FIRST_REQUEST_TIMEOUT_S", meant: "FIRST_REQUEST_TIMEOUT_MS" },
  // A missing last word.
  { slip: "FORWARD_HEADERS_FIL", meant: "FORWARD_HEADERS_FILE" },
  { slip: "FORWARD_TLS_CERT", meant: "FORWARD_TLS_CERT_FILE" },
  { slip: "OTLP_HTTP_CORS", meant: "OTLP_HTTP_CORS_ORIGINS" },
  // Synonyms.
  { slip: "FORWARD_URL", meant: "FORWARD_ENDPOINT" },
  { slip: "FORWARD_URI", meant: "FORWARD_ENDPOINT" },
  { slip: "FORWARD_TO", meant: "FORWARD_ENDPOINT" },
  { slip: "FORWARD_HOST", meant: "FORWARD_ENDPOINT" },
  { slip: "FORWARD_TARGET", meant: "FORWARD_ENDPOINT" },
  { slip: "FORWARD_HEADER", meant: "FORWARD_HEADERS" },
  { slip: "FORWARD_BATCH_SIZE", meant: "FORWARD_BATCH_SPANS" },
  { slip: "OTLP_GRPC_ADDRESS", meant: "OTLP_GRPC_HOST" },
  { slip: "SPANRING_MAX_BUFFER_SIZE", meant: "MAX_BUFFER_SIZE" },
  { slip: "SPANRING_LOG_LEVEL", meant: "LOG_LEVEL" },
  // Variables of other programs.
  { slip: "SPANRING_URL", meant: undefined },
  { slip: "FORWARDED_ALLOW_IPS", meant: undefined },
  { slip: "SHUTDOWN_HOOK_ENABLED", meant: undefined },
  { slip: "MAX_CONNECTION_POOL", meant: undefined },
  { slip: "IDLE", meant: undefined },
  { slip: "FORWARD_", meant: undefined },
  // Variables of Kubernetes for Services named api, otlp-grpc and otlp-http.
  { slip: "OTLP_GRPC_SERVICE_HOST", meant: undefined },
  { slip: "OTLP_GRPC_SERVICE_PORT", meant: undefined },
  { slip: "OTLP_GRPC_SERVICE_PORT_GRPC", meant: undefined },
  { slip: "OTLP_HTTP_PORT_4318_TCP", meant: undefined },
  { slip: "OTLP_HTTP_PORT_4318_TCP_ADDR", meant: undefined },
  { slip: "OTLP_HTTP_PORT_4318_TCP_PORT", meant: undefined },
  { slip: "APP_PORT", meant: undefined },
  { slip: "LOG_LEVELS", meant: undefined },
  { slip: "OTLP_HTTP_PORT", meant: undefined },
  { slip: "PATH", meant: undefined },
  { slip: "X".repeat(100_000), meant: undefined },
])("$slip is recognised as a misspelling of $meant", ({ slip, meant }) => {
  const warnings = readConfig({ [slip]: "a secret" }).warnings;

  expect(warnings).toEqual(
    meant === undefined ? [] : [{ variable: slip, message: `unknown: did you mean ${meant}?` }],
  );
});

test("misspellings are reported beside mistakes", () => {
  const env: Environment = { LOG_LEVEL: "LOUD", MAX_BUFER_SIZE: "1" };

  const reading = readConfig(env);

  expect(reading.ok).toBe(false);
  expect(reading.warnings.map((warning) => warning.variable)).toEqual(["MAX_BUFER_SIZE"]);
});

// Kubernetes sets these in every pod of a namespace with a Service of that name.
test.each([
  { variable: "API_PORT", value: "tcp://10.96.0.7:80", service: "api", unset: "4319" },
  {
    variable: "OTLP_GRPC_PORT",
    value: "tcp://10.96.0.8:4317",
    service: "otlp-grpc",
    unset: "4317",
  },
  {
    variable: "OTLP_HTTP_PORT",
    value: "udp://[fd00::9]:4318",
    service: "otlp-http",
    unset: "4318",
  },
])("$variable=$value is ignored with a warning", ({ variable, value, service, unset }) => {
  const reading = readConfig({ [variable]: value });

  expect(reading).toMatchObject({ ok: true, settings: { [variable]: Number(unset) } });
  expect(reading.warnings).toEqual([
    {
      variable,
      message:
        `ignored: Kubernetes sets ${value} for a Service named ${service}; the port is ${unset}. ` +
        `Set ${variable}, or enableServiceLinks: false in the pod`,
    },
  ]);
});

test.each(["tcp://10.96.0.7", "http://10.96.0.7:80", "tcp:80", "10.96.0.7:80"])(
  "API_PORT=%s is a mistake, as before",
  (value) => {
    expect(readConfig({ API_PORT: value })).toMatchObject({
      ok: false,
      mistakes: [{ variable: "API_PORT", value }],
      warnings: [],
    });
  },
);

test("variables of Kubernetes for other Services cause no warning", () => {
  const env = {
    SPANRING_API_PORT: "tcp://10.96.0.7:80",
    API_SERVICE_HOST: "10.96.0.7",
    API_PORT_80_TCP: "tcp://10.96.0.7:80",
    OTLP_GRPC_PORT_4317_TCP_PORT: "4317",
  };

  expect(readConfig(env)).toMatchObject({ ok: true, warnings: [] });
});
