import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import {
  firstSpanText,
  type GreetedServer,
  greetingText,
} from "../../../../src/adapters/cli/render/greeting.ts";
import { readConfig } from "../../../../src/config/config.ts";
import { HOSTILE_NAME, shownSpan, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };

function serverWith(
  env: Record<string, string>,
  ports: GreetedServer["ports"] = PORTS,
): GreetedServer {
  const reading = readConfig(env);
  const config = reading.ok ? reading.config : reading.rest;
  return { version: "1.2.3", config, ports };
}

test("a greeting names version, ports, variables to export, and the next command", () => {
  expect(greetingText(serverWith({}), PLAIN)).toBe(
    `spanring 1.2.3 is listening
  OTLP/gRPC  http://127.0.0.1:4317
  OTLP/HTTP  http://127.0.0.1:4318
  page, API  http://127.0.0.1:4319

Set in the application:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf

Then see what it emits:
  spanring tail

`,
  );
});

test.each([
  {
    name: "a chosen port",
    env: { OTLP_HTTP_PORT: "0" },
    ports: { ...PORTS, http: 50_123 },
    says: ["  OTLP/HTTP  http://127.0.0.1:50123\n", "ENDPOINT=http://127.0.0.1:50123\n"],
  },
  {
    name: "gRPC alone",
    env: { OTLP_HTTP_PORT: "off" },
    ports: { ...PORTS, http: "off" as const },
    says: ["ENDPOINT=http://127.0.0.1:4317\n", "PROTOCOL=grpc\n"],
  },
  {
    name: "an IPv6 address",
    env: { OTLP_HTTP_HOST: "2001:db8::1", API_HOST: "::" },
    ports: PORTS,
    says: ["http://[2001:db8::1]:4318\n", "http://127.0.0.1:4319\n"],
  },
  {
    name: "TLS and tokens",
    env: {
      OTLP_HTTP_TLS_CERT_FILE: "/c",
      OTLP_HTTP_TLS_KEY_FILE: "/k",
      OTLP_AUTH_TOKENS_FILE: "/t",
    },
    ports: PORTS,
    says: [
      "  OTLP/HTTP  https://127.0.0.1:4318\n",
      "export OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN\n",
    ],
  },
])("a greeting with $name says so", ({ env, ports, says }) => {
  const greeting = greetingText(serverWith(env, ports), PLAIN);

  for (const text of says) expect(greeting).toContain(text);
});

test.each([
  { name: "off", env: { OTLP_HTTP_PORT: "off", OTLP_GRPC_PORT: "off" } },
  { name: "a Unix socket", env: { OTLP_HTTP_HOST: "unix:/run/spanring" } },
])("a listener that is $name has nothing to export", ({ env }) => {
  expect(greetingText(serverWith(env), PLAIN)).not.toContain("export ");
});

test("the first span is announced by its name and service, without control characters", () => {
  const times = { fromMs: 0, toMs: 1 };
  const span = shownSpan("a", "", times, { name: "GET /", service: "shop" });
  const hostile = { ...span, name: HOSTILE_NAME, service: HOSTILE_NAME };

  expect(firstSpanText(span, PLAIN)).toBe("first span received: GET / of shop\n");
  expect(firstSpanText(undefined, PLAIN)).toBe("first span received\n");
  expect(firstSpanText(hostile, PLAIN)).not.toMatch(UNSAFE_TEXT);
});

test("colours do not change the greeting", () => {
  const server = serverWith({});

  expect(Bun.stripANSI(greetingText(server, COLOURED))).toBe(greetingText(server, PLAIN));
});
