import { expect, test } from "bun:test";
import { readConfig } from "../src/config.ts";
import type { ConfigReading } from "../src/config.ts";

function mistakesIn(reading: ConfigReading): unknown {
  return reading.ok ? [] : reading.mistakes;
}

const TWICE = { variable: "API_PORT", value: "4317", bound: "another port than OTLP_GRPC_PORT" };

test("both listeners off is a mistake, for nothing would listen", () => {
  const reading = readConfig({ OTLP_GRPC_PORT: "off", API_PORT: "off" });

  expect(mistakesIn(reading)).toEqual([
    {
      variable: "API_PORT",
      value: "off",
      bound: "a port, because OTLP_GRPC_PORT is off too: nothing would listen",
    },
  ]);
});

test.each([
  { name: "the same host", hosts: ["10.0.0.1", "10.0.0.1"], mistakes: [TWICE] },
  { name: "every IPv4 address and one", hosts: ["0.0.0.0", "127.0.0.1"], mistakes: [TWICE] },
  { name: "one and every IPv4 address", hosts: ["127.0.0.1", "0.0.0.0"], mistakes: [TWICE] },
  { name: "every address and one", hosts: ["::", "127.0.0.1"], mistakes: [TWICE] },
  { name: "two hosts", hosts: ["127.0.0.1", "127.0.0.2"], mistakes: [] },
  { name: "every IPv4 address and an IPv6 one", hosts: ["0.0.0.0", "::1"], mistakes: [] },
])("one port twice, on $name", ({ hosts, mistakes }) => {
  const [OTLP_GRPC_HOST, API_HOST] = hosts;

  const reading = readConfig({ OTLP_GRPC_HOST, API_HOST, API_PORT: "4317" });

  expect(mistakesIn(reading)).toEqual(mistakes);
});

test.each([
  {
    name: "requests larger than the buffer",
    env: { GRPC_MAX_MESSAGE_LENGTH: "2MiB", MAX_BUFFER_BYTES: "1MiB" },
    variables: ["MAX_BUFFER_BYTES"],
  },
  {
    name: "requests larger than what may be in flight",
    env: { MAX_IN_FLIGHT_BYTES: "1MiB" },
    variables: ["MAX_IN_FLIGHT_BYTES"],
  },
  {
    name: "requests as large as the buffer",
    env: { GRPC_MAX_MESSAGE_LENGTH: "64MiB" },
    variables: [],
  },
])("$name: a warning for $variables", ({ env, variables }) => {
  const reading = readConfig(env);

  expect(reading.ok).toBe(true);
  expect(reading.warnings.map((warning) => warning.variable)).toEqual([...variables]);
});
