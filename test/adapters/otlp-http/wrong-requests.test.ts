import { expect, test } from "bun:test";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { goldenRequest } from "../../support/requests/golden-requests.ts";
import { openGrpcClient, callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import {
  runOtlpHttp,
  type SendOptions,
  stopOtlpHttpAfterEach,
} from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const REQUEST = goldenRequest("events-links-status");
const PLAIN = { "Content-Type": "text/plain; charset=utf-8" };
const PREFLIGHT = { Origin: "https://page.example", "Access-Control-Request-Method": "POST" };

// Goal: every request that is refused because of its headers is recorded. Method: such requests are
// sent, and the list of problems is compared.
test.each<{ sent: SendOptions; reason: string; detail: string }>([
  { sent: { path: "/v1/trace?a=b" }, reason: "unknown_path", detail: "/v1/trace" },
  { sent: { path: "/v1/metrics/v1/traces" }, reason: "unknown_path", detail: "/v1/metrics/v1/tr" },
  { sent: { path: "/\u001B[2J" }, reason: "unknown_path", detail: "/%1B[2J" },
  { sent: { method: "PUT" }, reason: "wrong_method", detail: "PUT /v1/traces" },
  { sent: { method: "PUT", path: "/no" }, reason: "wrong_method", detail: "PUT /no" },
  { sent: { path: "/v1/metrics" }, reason: "unsupported_metrics", detail: "/v1/metrics" },
  { sent: { path: "/otlp/v1/logs?a=b" }, reason: "unsupported_logs", detail: "/otlp/v1/logs" },
  { sent: { headers: PLAIN }, reason: "unsupported_type", detail: "Content-Type: text/plain" },
  {
    sent: { headers: { "Content-Type": "application/secret" } },
    reason: "unsupported_type",
    detail: "another Content-Type",
  },
  {
    sent: { headers: { "Content-Type": "" } },
    reason: "unsupported_type",
    detail: "no Content-Type",
  },
  {
    sent: { headers: { "Content-Encoding": "br" } },
    reason: "unsupported_encoding",
    detail: "Content-Encoding: br",
  },
  {
    sent: { headers: { "Content-Encoding": "secret" } },
    reason: "unsupported_encoding",
    detail: "another Content-Encoding",
  },
])("$sent is recorded as $reason with the detail $detail", async ({ sent, reason, detail }) => {
  const { send, problems } = runOtlpHttp();

  await send(REQUEST, sent);

  const [problem, ...others] = problems.list();
  expect(problem).toMatchObject({ protocol: "http", reason, address: "127.0.0.1", count: 1 });
  expect(problem?.detail).toStartWith(detail);
  expect(others).toEqual([]);
});

test.each([
  { sent: { method: "GET", path: "/" } },
  { sent: { method: "GET", path: "/api/traces?limit=1" } },
  { sent: { method: "POST", path: "/api/spans/take" } },
  { sent: { method: "DELETE", path: "/api/spans" } },
])(
  "a reader that uses the port of OTLP/HTTP learns that of the read API: $sent",
  async ({ sent }) => {
    const { send } = runOtlpHttp();

    const response = await send("", { ...sent, headers: { "Content-Type": "application/json" } });

    const { message } = (await response.json()) as { message: string };
    expect(response.status).toBe(404);
    expect(message).toMatch(/^no such path at this port; .*the read API, .* are at port \d+$/);
  },
);

test("logs of an unknown type are recorded as logs", async () => {
  const unsupported = new UnsupportedSignals();
  const { send, problems } = runOtlpHttp({ unsupported });

  const { status } = await send("", { path: "/v1/logs", headers: PLAIN });

  expect(status).toBe(415);
  expect(problems.list()).toMatchObject([{ reason: "unsupported_logs", detail: "/v1/logs" }]);
});

test.each([[[]], [["https://other.example"]]])(
  "a preflight from an origin that is not permitted is recorded, where %p may send",
  async (corsOrigins) => {
    const { request, problems } = runOtlpHttp({ corsOrigins });

    await request("/v1/traces", { method: "OPTIONS", headers: PREFLIGHT });

    expect(problems.list()).toMatchObject([{ reason: "origin_not_allowed", detail: "" }]);
  },
);

test("neither a permitted request nor its preflight is recorded as a problem", async () => {
  const { request, send, problems } = runOtlpHttp({ corsOrigins: ["https://page.example"] });

  await request("/v1/traces", { method: "OPTIONS", headers: PREFLIGHT });
  await send(REQUEST);

  expect(problems.list()).toEqual([]);
});

test("a gRPC client is answered with the gRPC port, and its request is recorded", async () => {
  const { listener, problems } = runOtlpHttp();
  const client = openGrpcClient(listener.port);

  const { code, details } = await callUnary(client, EXPORT_PATH, Buffer.from(REQUEST));
  client.close();

  expect(code).toBe(12);
  expect(details).toBe(`this port speaks OTLP/HTTP: ${problems.hint("grpc_on_http")}`);
  expect(details).toContain("OTLP/gRPC is at port 4317");
  expect(problems.list()).toMatchObject([{ reason: "grpc_on_http", address: "127.0.0.1" }]);
});
