import { expect, test } from "bun:test";
import type { ForwardStatus } from "../../src/application/forwarding/forward-status.ts";
import { CannotStartError, type RunningServer } from "../../src/server/server.ts";
import { callUnary, EXPORT_PATH, openGrpcClient } from "../support/grpc/grpc-call.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { startHttpUpstream } from "../support/upstreams/http-upstream.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { dataDirectory, send } from "../support/running/data-directory.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { retryDelayIn, retryDelayOf } from "../support/oracles/retry-delay.ts";
import { runServer as start } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const folder = temporaryFolder();

function apiUrl({ ports }: RunningServer, path: string): string {
  return `http://127.0.0.1:${ports.api}${path}`;
}

test("a listener that is off has no port, and the others run", async () => {
  const server = await start({ OTLP_GRPC_PORT: "off" });

  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(2));
  const stats = await fetch(apiUrl(server, "/api/stats"));
  await server.stop(0);

  expect(server.ports.grpc).toBe("off");
  expect(await stats.json()).toMatchObject({ spans: { accepted: 2 }, version: "0.0.0" });
});

test("a stop without a directory and without forwarding counts no span as lost", async () => {
  const server = await start({});

  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(2));
  await server.stop(0);

  expect(server.hasLostSpans()).toBe(false);
});

test("a start fails if one listener fails, and the log says which and why", async () => {
  const first = await start({});
  const logger = new RecordingLogger();

  const second = start({ OTLP_HTTP_PORT: String(first.ports.http) }, logger);
  const failure: unknown = await second.catch((error: unknown) => error);
  await first.stop(0);

  expect(failure).toBeInstanceOf(CannotStartError);
  expect(logger.lines.at(-1)).toMatchObject({
    event: "cannot_listen",
    fields: { listener: "http", reason: "the port is in use" },
  });
});

/** Returns variables of a directory in which a stop has kept spans. */
async function keptSpans(spans: number): Promise<Record<string, string>> {
  const { path: DATA_DIR } = dataDirectory(folder);
  const env = { DATA_DIR, DURABILITY: "stop" };
  const server = await start(env);
  await send(server, requestOf(spans));
  await server.stop(0);
  return env;
}

test("kept spans are restored before anything listens", async () => {
  const env = await keptSpans(2);
  const logger = new RecordingLogger();

  const server = await start(env, logger);
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  const lines = logger.lines.filter(({ level }) => level !== "debug");
  expect(lines[0]).toMatchObject({ event: "recovered", fields: { spans: 2 } });
  expect(lines[1]).toMatchObject({ event: "listening" });
  expect(metrics).toContain("\nspanring_restored_spans_total 2\n");
});

test.each([
  { name: "a listener fails", isPortTaken: true, broken: {} },
  {
    name: "forwarding cannot start",
    isPortTaken: false,
    broken: { FORWARD_ENDPOINT: "https://127.0.0.1:1", FORWARD_TLS_CA_FILE: "/missing" },
  },
])("kept spans stay if $name", async ({ isPortTaken, broken }) => {
  const env = await keptSpans(2);
  const first = await start({});
  const taken = isPortTaken ? { OTLP_HTTP_PORT: String(first.ports.http) } : {};

  const starting = start({ ...env, ...broken, ...taken });
  const failure: unknown = await starting.catch((error: unknown) => error);
  await first.stop(0);
  const second = await start(env);
  const { spans } = second.buffer.stats();
  await second.stop(0);

  expect(failure).toBeInstanceOf(CannotStartError);
  expect(spans.buffered).toBe(2);
});

test.each([
  { name: "above the mark", spans: 9, reached: true },
  { name: "below the mark", spans: 7, reached: false },
])(
  "a forwarding server with a buffer $name is ready and reports it",
  async ({ spans, reached }) => {
    const env = await keptSpans(spans);
    const forwarding = { FORWARD_ENDPOINT: "http://127.0.0.1:1", MAX_BUFFER_SIZE: "10" };

    const server = await start({ ...forwarding, ...env });
    const ready = await fetch(apiUrl(server, "/readyz"));
    const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
    await server.stop(0);

    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: "ready", high_water: reached });
    expect(metrics).toContain(`\nspanring_high_water ${Number(reached)}\n`);
  },
);

test("without forwarding, the fill level is not reported", async () => {
  const server = await start({});

  const ready = await (await fetch(apiUrl(server, "/readyz"))).json();
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  expect(ready).toEqual({ status: "ready" });
  expect(metrics).not.toContain("\nspanring_high_water ");
});

test("a stop ends waits at once", async () => {
  const server = await start({});
  const waiting = fetch(apiUrl(server, "/api/wait?name=never&timeout=10m"));
  await fetch(apiUrl(server, "/healthz"));

  await server.stop(60_000);

  expect((await waiting).status).toBe(503);
});

test("the metrics cover all listeners", async () => {
  const server = await start({});
  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(2));

  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  expect(metrics).toContain(
    'spanring_received_spans_total{protocol="http/protobuf",entry="accepted"} 2\n',
  );
  expect(metrics).toContain("spanring_in_flight_bytes 0\n");
  expect(metrics).toContain("spanring_grpc_connections 0\n");
  expect(metrics).toContain("spanring_http_requests_in_flight 0\n");
});

test("a forwarder reports its status without the endpoint's secrets", async () => {
  const env = { FORWARD_PROTOCOL: "http/protobuf", FORWARD_HEADERS: "key=secret" };
  const logger = new RecordingLogger();
  const server = await start({ FORWARD_ENDPOINT: "https://up.test/v1?key=secret", ...env }, logger);

  const stats = await (await fetch(apiUrl(server, "/api/stats"))).text();
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  const endpoint = "https://up.test:443/v1";
  expect(JSON.parse(stats)).toMatchObject({ forward: { endpoint, state: "untried" } });
  expect(metrics).toContain('spanring_forward_state{state="untried"} 1\n');
  expect(logger.lines).toContainEqual({ level: "info", event: "forwarding", fields: { endpoint } });
  expect(stats + metrics + JSON.stringify(logger.lines)).not.toContain("secret");
});

test("spans are forwarded once all listeners listen", async () => {
  const logger = new RecordingLogger();
  const server = await start({ FORWARD_ENDPOINT: "kafka://127.0.0.1:1/spans" }, logger);
  await server.stop(0);

  const events = logger.lines.map(({ event }) => event);
  const steps = events.filter((event) => event === "listening" || event === "forwarding");
  expect(steps).toEqual(["listening", "listening", "listening", "forwarding"]);
});

test("a server without forwarding reports no status of it", async () => {
  const server = await start({});

  const stats: unknown = await (await fetch(apiUrl(server, "/api/stats"))).json();
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  expect(stats).not.toHaveProperty("forward");
  expect(metrics).not.toMatch(/^spanring_(forward|undeliverable)/m);
});

test("refused senders learn how long the forwarder needs to make room", async () => {
  // This is longer than the maximum delay for senders.
  const headers = { "Retry-After": "3600" };
  const upstream = startHttpUpstream(() => new Response("", { status: 503, headers }));
  const FORWARD_ENDPOINT = `http://127.0.0.1:${upstream.port}`;
  const full = { MAX_BUFFER_SIZE: "1", OVERFLOW_POLICY: "refuse" };
  const server = await start({ ...full, FORWARD_ENDPOINT, FORWARD_PROTOCOL: "http/protobuf" });
  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(1));
  await untilBackingOff(server);

  const refusals = await refusedBy(server, requestOf(1, 2));
  await server.stop(0);
  await upstream.stop();

  expect(refusals).toEqual({ grpc: 60_000, http: 60_000, retryAfter: "60" });
});

async function untilBackingOff(server: RunningServer): Promise<void> {
  let state = "";
  while (state !== "backing_off") {
    const stats = await (await fetch(apiUrl(server, "/api/stats"))).json();
    ({ state } = (stats as { forward: ForwardStatus }).forward);
  }
}

/** Returns the delays in milliseconds, except the one in the header. */
async function refusedBy({ ports }: RunningServer, body: Uint8Array<ArrayBuffer>) {
  using client = openExportClient(Number(ports.grpc));
  const grpc = await client.export(body).catch((error: unknown) => error);
  const headers = { "Content-Type": "application/x-protobuf" };
  const url = `http://127.0.0.1:${ports.http}/v1/traces`;
  const http = await fetch(url, { method: "POST", headers, body });
  const retryAfter = http.headers.get("retry-after");
  return { grpc: retryDelayOf(grpc), http: retryDelayIn(await http.bytes()), retryAfter };
}

test("the connection of a paused reader is closed after the grace time", async () => {
  const server = await start({ MAX_BUFFER_SIZE: "100000" });
  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(50_000));
  const { body } = await fetch(apiUrl(server, "/api/spans?limit=100000"));
  const reader = body!.getReader();
  await reader.read();

  await server.stop(1);

  expect(await fetch(apiUrl(server, "/healthz")).catch(() => "refused")).toBe("refused");
  await reader.cancel().catch(() => {});
});

test.each([
  {
    name: "invalid JSON",
    type: "application/json",
    coding: "identity",
    body: "{",
    protocol: "http/json",
  },
  {
    name: "invalid gzip",
    type: "application/x-protobuf",
    coding: "gzip",
    body: "no",
    protocol: "http/protobuf",
  },
])("$name is counted as malformed", async ({ type, coding, body, protocol }) => {
  const server = await start({});
  const headers = { "Content-Type": type, "Content-Encoding": coding };
  const url = `http://127.0.0.1:${server.ports.http}/v1/traces`;

  const answer = await fetch(url, { method: "POST", headers, body });
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  await server.stop(0);

  expect(answer.status).toBe(400);
  expect(metrics).toContain(
    `requests_total{protocol="${protocol}",outcome="malformed",status="400"} 1\n`,
  );
});

test("a request over gRPC that is longer than its limit is counted as too large", async () => {
  const server = await start({ GRPC_MAX_MESSAGE_LENGTH: "5000" });
  const client = openGrpcClient(server.ports.grpc as number);

  const { details } = await callUnary(client, EXPORT_PATH, Buffer.alloc(5001));
  const metrics = await (await fetch(apiUrl(server, "/metrics"))).text();
  client.close();
  await server.stop(0);

  expect(details).toBe("received message larger than max (5001 vs. 5000)");
  expect(metrics).toContain(
    'requests_total{protocol="grpc",outcome="too_large",status="RESOURCE_EXHAUSTED"} 1\n',
  );
});
