import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";

// What Kubernetes sets in every pod of a namespace with a Service of that name.
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

test("what Kubernetes sets for other names is nothing to warn of", () => {
  const env = {
    SPANRING_API_PORT: "tcp://10.96.0.7:80",
    API_SERVICE_HOST: "10.96.0.7",
    API_PORT_80_TCP: "tcp://10.96.0.7:80",
    OTLP_GRPC_PORT_4317_TCP_PORT: "4317",
  };

  expect(readConfig(env)).toMatchObject({ ok: true, warnings: [] });
});
