import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { callUnary, EXPORT_PATH, openGrpcClient } from "../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../support/grpc/grpc-http2-call.ts";
import { grpcMessage } from "../support/grpc/grpc-wire.ts";
import { countsOf } from "../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { request, requestOf, span } from "../support/requests/request-bytes.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";

// Goal: everything that is refused or discarded is reported. Method: a complete server receives the
// usual mistakes of exporters and people; then its log, metrics and list of problems are checked.

const LOCAL = { OTLP_GRPC_HOST: "127.0.0.1", OTLP_HTTP_HOST: "127.0.0.1" };
const FREE = { ...LOCAL, OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };

async function start(env: Record<string, string> = {}) {
  const reading = readConfig({ ...FREE, ...env });
  if (!reading.ok) throw new Error("the configuration is invalid");
  const logger = new RecordingLogger();
  const server = await startServer({ config: reading.config, logger, version: "0.0.0" });
  const linesOf = (event: string) => logger.lines.filter((line) => line.event === event);
  return { ...server, http: `http://127.0.0.1:${server.ports.http}`, linesOf };
}

interface ListedProblem {
  readonly reason: string;
  readonly hint: string;
}

async function listedBy({ ports }: Pick<RunningServer, "ports">): Promise<ListedProblem[]> {
  const answer = await fetch(`http://127.0.0.1:${ports.api}/api/problems`);
  return ((await answer.json()) as { problems: ListedProblem[] }).problems;
}

async function metricsOf({ ports }: Pick<RunningServer, "ports">): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${ports.api}/metrics`)).text();
}

test("a request refused for its headers appears in the list, the log and the metrics", async () => {
  const server = await start();

  await fetch(`${server.http}/v1/trace`, { method: "POST", body: "x" });
  await fetch(`${server.http}/v1/traces`, { method: "POST", body: "x" });
  const session = openHttp2(server.ports.grpc as number);
  const pieces = [grpcMessage(requestOf(1), 1)];
  await callHttp2(session, { headers: { "grpc-encoding": "br" }, pieces });
  session.destroy();
  const listed = await listedBy(server);
  const metrics = await metricsOf(server);
  await server.stop(0);

  const reasons = ["unsupported_encoding", "unsupported_type", "unknown_path"];
  expect(listed.map(({ reason }) => reason)).toEqual(reasons);
  expect(listed[2]?.hint).toContain(`/v1/traces at port ${server.ports.http};`);
  expect(metrics).toContain(
    '\nspanring_problems_total{protocol="grpc",reason="unsupported_encoding"} 1\n',
  );
  const logged = server.linesOf("problem").map(({ fields }) => fields["reason"]);
  expect(logged).toEqual(reasons.toReversed());
});

const TOO_LARGE = new Uint8Array(21_000_000);
const PROTOBUF_TYPE = "application/x-protobuf";

test.each([
  { reason: "not_otlp_json", status: 400, type: "application/json", body: "[]" },
  { reason: "malformed", status: 400, type: PROTOBUF_TYPE, body: "x" },
  { reason: "broken_compression", status: 400, type: PROTOBUF_TYPE, coding: "gzip", body: "no" },
  { reason: "too_large", status: 413, type: PROTOBUF_TYPE, body: TOO_LARGE },
  { reason: "unsupported_type", status: 415, type: "text/plain", body: "{}" },
  { reason: "unsupported_encoding", status: 415, type: PROTOBUF_TYPE, coding: "br", body: "" },
  { reason: "unknown_path", status: 404, type: PROTOBUF_TYPE, path: "/v1/trace", body: "" },
])("a request refused for $reason is counted, logged and listed", async (given) => {
  const { reason, status, type, coding = "identity", path = "/v1/traces", body } = given;
  const server = await start();
  const headers = { "Content-Type": type, "Content-Encoding": coding };

  const statuses: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const answer = await fetch(`${server.http}${path}`, { method: "POST", headers, body });
    statuses.push(answer.status);
  }
  const listed = await listedBy(server);
  const metrics = await metricsOf(server);
  await server.stop(0);

  expect(statuses).toEqual([status, status, status]);
  expect(listed).toMatchObject([{ protocol: "http", reason, address: "127.0.0.1", count: 3 }]);
  expect(metrics).toContain(`\nspanring_problems_total{protocol="http",reason="${reason}"} 3\n`);
  const logged = server.linesOf("problem").map(({ fields }) => fields);
  expect(logged).toMatchObject([
    { reason, count: 1, hint: listed[0]!.hint },
    { reason, count: 2, hint: listed[0]!.hint },
  ]);
});

test("a message that is too long over gRPC is listed and logged once", async () => {
  const server = await start({ GRPC_MAX_MESSAGE_LENGTH: "5000" });
  const session = openHttp2(server.ports.grpc as number);

  const end = await callHttp2(session, { pieces: [grpcMessage(Buffer.alloc(5001))] });
  session.destroy();
  const listed = await listedBy(server);
  await server.stop(0);

  expect(end.grpcStatus).toBe(8);
  expect(listed).toMatchObject([{ protocol: "grpc", reason: "too_large", count: 1 }]);
  expect(server.linesOf("problem")).toHaveLength(1);
});

test("swapped ports of gRPC and HTTP are reported in both answers and in the list", async () => {
  const server = await start();
  const { grpc, http } = server.ports;
  const client = openGrpcClient(http as number);

  const first = await callUnary(client, EXPORT_PATH, Buffer.alloc(0));
  const overHttp = await fetch(`http://127.0.0.1:${grpc}/v1/traces`, { method: "POST", body: "x" });
  const second = await callUnary(client, EXPORT_PATH, Buffer.alloc(0));
  client.close();
  const { message } = (await overHttp.json()) as { message: string };
  const listed = await listedBy(server);
  await server.stop(0);

  const where = `OTLP/gRPC goes to ${grpc}, OTLP/HTTP to ${http}`;
  const swapped = `${grpc} and ${http} are swapped: ${where}`;
  expect(first.code).toBe(12);
  expect(first.details).toContain(`OTLP/gRPC is at port ${grpc};`);
  expect([overHttp.status, message]).toEqual([421, expect.stringContaining(swapped)]);
  expect(second.details).toContain(swapped);
  expect(listed).toMatchObject([
    { protocol: "http", reason: "grpc_on_http", count: 2, hint: swapped },
    { protocol: "grpc", reason: "http_on_grpc", count: 1, hint: swapped },
  ]);
});

test("OTLP sent to the read API is answered with the right port", async () => {
  const server = await start();
  const { grpc, http, api } = server.ports;

  const answer = await fetch(`http://127.0.0.1:${api}/v1/traces`, { method: "POST", body: "x" });
  const { detail } = (await answer.json()) as { detail: string };
  const listed = await listedBy(server);
  await server.stop(0);

  expect(detail).toEndWith(`OTLP/gRPC is at port ${grpc}, OTLP/HTTP at port ${http}`);
  expect(listed).toMatchObject([{ protocol: "api", reason: "otlp_on_api", count: 1 }]);
});

test.each([
  { policy: "drop_oldest", counts: { evicted: 3 } },
  { policy: "refuse", counts: { buffer_full: 2 } },
])("with $policy, losses to a full buffer are counted as a problem", async ({ policy, counts }) => {
  const server = await start({ MAX_BUFFER_SIZE: "2", OVERFLOW_POLICY: policy });

  for (const spanCount of [2, 1, 2]) {
    await exportOverHttp(server.http, requestOf(spanCount)).catch(String);
  }
  await server.stop(0);

  expect(countsOf({ totals: server.problems })).toEqual(counts);
});

test("a stop logs the pending counts of problems", async () => {
  const server = await start();
  for (let time = 0; time < 3; time += 1) await fetch(`${server.http}/no`, { method: "POST" });

  await server.stop(0);

  expect(server.linesOf("problem").map(({ fields }) => fields["count"])).toEqual([1, 2]);
});

async function postJson(url: string, value: object): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return await fetch(url, { method: "POST", headers, body: JSON.stringify(value) });
}

const SPAN = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

test("a request of unknown keys without spans succeeds and is listed as a problem", async () => {
  const server = await start();
  const url = `${server.http}/v1/traces`;

  const answers = [
    await postJson(url, { resource_spans: [{ scope_spans: [{ spans: [SPAN] }] }] }),
    await postJson(url, { resourceSpans: [{ instrumentationLibrarySpans: [{ spans: [SPAN] }] }] }),
    await postJson(url, { resourceLogs: [{}] }),
  ];
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  const listed = await listedBy(server);
  await server.stop(0);

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(bodies).toEqual(["{}", "{}", "{}"]);
  expect(listed).toMatchObject([{ reason: "unknown_fields", count: 3 }]);
  const logged = server.linesOf("problem").map(({ fields }) => fields);
  expect(logged).toMatchObject([
    { reason: "unknown_fields", count: 1, detail: "unknown keys: resource_spans" },
    { reason: "unknown_fields", count: 2, detail: "unknown keys: resourceLogs" },
  ]);
  expect(logged[0]?.["hint"]).toContain("keys are resourceSpans, scopeSpans, spans");
});

test("spans with misspelt keys are rejected, and the keys are named", async () => {
  const server = await start();
  const spans = [{ trace_id: SPAN.traceId, span_id: SPAN.spanId }];

  const answer = await postJson(`${server.http}/v1/traces`, {
    resourceSpans: [{ scopeSpans: [{ spans }] }],
  });
  const listed = await listedBy(server);
  await server.stop(0);

  expect(await answer.text()).toContain("There are unknown keys: trace_id, span_id.");
  expect(listed).toMatchObject([{ reason: "rejected", count: 1 }]);
});

test.each([
  { name: "an empty request", body: {} },
  { name: "a request with an empty list", body: { resourceSpans: [] } },
  { name: "a span with an additional key", body: requestWith({ ...SPAN, colour: "red" }) },
])("$name is not a problem", async ({ body }) => {
  const server = await start();

  const answer = await postJson(`${server.http}/v1/traces`, body);
  await server.stop(0);

  expect(answer.status).toBe(200);
  expect(countsOf({ totals: server.problems })).toEqual({});
});

function requestWith(only: object): object {
  return { resourceSpans: [{ scopeSpans: [{ spans: [only] }] }] };
}

test.each(["grpc", "http"] as const)(
  "over %s, spans of an older OTLP are a problem",
  async (name) => {
    const server = await start();
    const former = request(bytesField(1, bytesField(1000, bytesField(2, span(1)))));
    const session = openHttp2(server.ports.grpc as number);

    const send = {
      grpc: () => callHttp2(session, { pieces: [grpcMessage(former)] }),
      http: () => exportOverHttp(server.http, former),
    };
    await send[name]();
    session.destroy();
    await server.stop(0);

    const [problem] = server.linesOf("problem");
    expect(problem?.fields).toMatchObject({
      protocol: name,
      reason: "unknown_fields",
      detail: "unknown fields: ResourceSpans.1000",
    });
  },
);
