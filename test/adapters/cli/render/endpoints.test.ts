import { expect, test } from "bun:test";
import {
  endpointsOf,
  exporterVariables,
  type ListeningServer,
} from "../../../../src/adapters/cli/render/endpoints.ts";
import { type Environment, readConfig } from "../../../../src/config/config.ts";

const PORTS = { grpc: 1, http: 2, api: 3 };

function endpointsIn(env: Environment, ports: Partial<ListeningServer["ports"]> = {}) {
  const reading = readConfig(env);
  const config = reading.ok ? reading.config : reading.rest;
  return endpointsOf({ config, ports: { ...PORTS, ...ports } });
}

test("a listener on all addresses has the URL of the loopback address, and its actual port", () => {
  expect(endpointsIn({ API_HOST: "::" })).toEqual({
    grpc: "http://127.0.0.1:1",
    http: "http://127.0.0.1:2",
    api: "http://127.0.0.1:3",
  });
});

test("an address of IPv6, and a Unix socket are written as clients need them", () => {
  expect(endpointsIn({ OTLP_HTTP_HOST: "::1", API_HOST: "unix:/run/a b.sock" })).toMatchObject({
    http: "http://[::1]:2",
    api: "unix:/run/a b.sock",
  });
});

test("a listener that is off has no endpoint", () => {
  const endpoints = endpointsIn({ OTLP_GRPC_PORT: "off", API_PORT: "off" });

  expect(endpoints).toEqual({ http: "http://127.0.0.1:2" });
});

test.each([
  {
    name: "OTLP/HTTP",
    endpoints: { grpc: "http://127.0.0.1:1", http: "http://127.0.0.1:2" },
    variables: ["http://127.0.0.1:2", "http/protobuf"],
  },
  {
    name: "OTLP/gRPC without OTLP/HTTP",
    endpoints: { grpc: "https://127.0.0.1:1" },
    variables: ["https://127.0.0.1:1", "grpc"],
  },
  { name: "nothing, without either", endpoints: {}, variables: [] },
  { name: "nothing, for a Unix socket", endpoints: { http: "unix:/run/s" }, variables: [] },
])("the variables of an exporter name $name", ({ endpoints, variables }) => {
  const found = Object.values(exporterVariables(endpoints));

  expect(found).toEqual([...variables]);
});
