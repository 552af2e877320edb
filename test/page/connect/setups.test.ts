import { expect, test } from "bun:test";
import {
  placeholderNote,
  type Receiver,
  type Receivers,
  SETUPS,
} from "../../../src/page/connect/setups.ts";

const PLAIN: Receiver = {
  host: "0.0.0.0",
  port: 4318,
  tls: false,
  client_certificate: false,
  token: false,
};

function linesOf(name: string, receivers: Receivers, pageHost = "page.test"): string {
  return SETUPS.find((setup) => setup.name === name)!.lines({ receivers, pageHost });
}

test.each(SETUPS)("$name names the configured port", ({ lines }) => {
  const receivers = { http: { ...PLAIN, port: 24_318 } };

  expect(lines({ receivers, pageHost: "page.test" })).toContain(
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://page.test:24318\n",
  );
});

test.each([
  { host: "0.0.0.0", pageHost: "a.test", endpoint: "http://a.test:4318" },
  { host: "::", pageHost: "[::1]", endpoint: "http://[::1]:4318" },
  { host: "10.0.0.7", pageHost: "a.test", endpoint: "http://10.0.0.7:4318" },
  { host: "fd00::7", pageHost: "a.test", endpoint: "http://[fd00::7]:4318" },
])("a listener on $host is at $endpoint for a page of $pageHost", (given) => {
  const receivers = { http: { ...PLAIN, host: given.host } };

  expect(linesOf("Java", receivers, given.pageHost)).toContain(`ENDPOINT=${given.endpoint}\n`);
});

test("TLS, a client certificate and a token are named, and what to replace", () => {
  const http = { ...PLAIN, tls: true, client_certificate: true, token: true };

  const lines = linesOf("Variables", { http });

  expect(lines.split("\n")).toEqual([
    "export OTEL_EXPORTER_OTLP_ENDPOINT=https://page.test:4318",
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    'export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20TOKEN"',
    "export OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem",
    "export OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=client.pem",
    "export OTEL_EXPORTER_OTLP_CLIENT_KEY=client-key.pem",
    "export OTEL_SERVICE_NAME=my-service",
  ]);
  expect(placeholderNote(lines)).toBe(
    "Replace TOKEN with a token of OTLP_AUTH_TOKENS_FILE, ca.pem with the certificate of the " +
      "issuer, client.pem with the certificate of the client, client-key.pem with its key.",
  );
  expect(placeholderNote(linesOf("Variables", { http: PLAIN }))).toBeUndefined();
});

test("a language uses gRPC if HTTP has no port, and says so if it cannot", () => {
  const receivers = { grpc: { ...PLAIN, port: 4317 } };

  expect(linesOf("Go", receivers)).toContain("OTLP_PROTOCOL=grpc\n");
  expect(linesOf("Go", receivers)).toContain("otlptracegrpc.New");
  expect(linesOf("Ruby", receivers)).toBe(
    "# These exporters need a port: set OTLP_HTTP_PORT of spanring.",
  );
});

test("a Unix socket is named only where exporters may know it", () => {
  const { port: _, ...socket } = { ...PLAIN, host: "unix:/run/spans" };

  expect(linesOf("Variables", { grpc: socket })).toContain("ENDPOINT=unix:/run/spans\n");
  expect(linesOf("Node", { grpc: socket })).toBe(
    "# These exporters need a port: set OTLP_HTTP_PORT or OTLP_GRPC_PORT of spanring.",
  );
  expect(linesOf("Variables", {})).toBe(
    "# These exporters need a port: set OTLP_GRPC_PORT or OTLP_HTTP_PORT of spanring.",
  );
});
