import { expect, test } from "bun:test";
import type { Readiness } from "../../../src/adapters/read-api/route.ts";
import { ROUTES } from "../../../src/adapters/read-api/routes.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { exporterCounts } from "../../support/fakes/exporter-counts.ts";
import { largeRequest } from "../../support/requests/large-request.ts";
import { requestOf, serverRequest } from "../../support/requests/request-bytes.ts";
import {
  AS_NDJSON,
  AS_PROTOBUF,
  linesOf,
  rangeOf,
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import { ledgerOf } from "../../support/oracles/ledger-of.ts";

stopReadApisAfterEach();

const LARGE_RING = { spans: 600_000, bytes: 2 ** 25 };

test("GET /healthz is answered while the server runs", async () => {
  const { request } = runReadApi({ readiness: () => "stopping" });

  const response = await request("/healthz");

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "alive" });
});

test.each<[Readiness, number]>([
  ["starting", 503],
  ["ready", 200],
  ["stopping", 503],
])("GET /readyz in the state %s is answered with %d", async (readiness, status) => {
  const { request } = runReadApi({ readiness: () => readiness });

  const response = await request("/readyz");

  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ status: readiness });
});

test.each([true, false])("GET /readyz reports the high-water mark: %p", async (reached) => {
  const { request } = runReadApi({ highWater: () => reached });

  const response = await request("/readyz");

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ready", high_water: reached });
});

test("GET /api/stats returns ledger, capacity, sequence, uptime and version", async () => {
  const exporters = exporterCounts({ connections: 2, http: { traces: 1 } });
  const { request, ring } = runReadApi({ exporters: () => exporters });
  ring.take(2);
  const { bytes } = ring.stats();

  const response = await request("/api/stats");

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.text()).toBe(
    `${JSON.stringify({
      spans: ledgerOf({ received: 5, accepted: 5, buffered: 3, taken: 2 }),
      bytes,
      capacity: { spans: 100, bytes: 65536 },
      sequence: { run_id: RUN_ID, first: 3, next: 6 },
      exporters,
      uptime_seconds: 12.346,
      version: "1.2.3",
    })}\n`,
  );
});

test("GET /api/spans returns the oldest spans as OTLP/JSON and keeps them", async () => {
  const { request, ring } = runReadApi();

  const response = await request("/api/spans?limit=2");

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("vary")).toBe("Accept");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.text()).toBe(`${otlpJson(ring.peek(2).request)}\n`);
  expect(ring.size()).toBe(5);
});

test("POST /api/spans/take returns the oldest spans and removes them", async () => {
  const { request, ring } = runReadApi();
  const expected = `${otlpJson(ring.peek(2).request)}\n`;

  const response = await request("/api/spans/take?limit=2", { method: "POST" });

  expect(response.status).toBe(200);
  expect(rangeOf(response)).toEqual(["1", "3"]);
  expect(await response.text()).toBe(expected);
  expect(ring.size()).toBe(3);
});

test("taken spans keep their sequences in lines", async () => {
  const { request, ring } = runReadApi();
  ring.take(1);

  const init = { ...AS_NDJSON, method: "POST" };
  const lines = await linesOf(await request("/api/spans/take?limit=2", init));

  expect(lines).toMatchObject([
    { sequence: 2, name: "span 2" },
    { sequence: 3, name: "span 3" },
  ]);
});

test.each([
  { method: "GET", path: "/api/spans" },
  { method: "POST", path: "/api/spans/take" },
])("$method $path returns the original bytes as protobuf", async (route) => {
  const { request, ring } = runReadApi();
  const expected = ring.peek(5).request;

  const response = await request(route.path, { ...AS_PROTOBUF, method: route.method });

  expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  expect(await response.bytes()).toEqual(expected);
});

test("the default limit is 1,000 spans", async () => {
  const { request, ring, put } = runReadApi({ spanCount: 0, capacity: LARGE_RING });
  put(requestOf(1001));
  const expected = ring.peek(1000).request;

  const response = await request("/api/spans/take", { ...AS_PROTOBUF, method: "POST" });

  expect(await response.bytes()).toEqual(expected);
  expect(ring.size()).toBe(1);
});

test("an empty buffer is returned as an empty list, no bytes, or no line", async () => {
  const { request } = runReadApi({ spanCount: 0 });

  const json = await request("/api/spans");
  const bytes = await request("/api/spans", AS_PROTOBUF);
  const lines = await request("/api/spans", AS_NDJSON);

  expect(await json.json()).toEqual({ resourceSpans: [] });
  expect(await bytes.bytes()).toHaveLength(0);
  expect(await lines.text()).toBe("");
  expect(rangeOf(json)).toEqual(["1", "1"]);
});

test("a large answer arrives whole in every format", async () => {
  const spans = serverRequest(2000);
  const { request, put } = runReadApi({ spanCount: 0, capacity: LARGE_RING });
  put(spans);

  const json = await request("/api/spans?limit=2000");
  const bytes = await request("/api/spans?limit=2000", AS_PROTOBUF);
  const lines = await linesOf(await request("/api/spans?limit=2000", AS_NDJSON));

  expect(await json.text()).toBe(`${otlpJson(spans)}\n`);
  expect(Bun.deepEquals(await bytes.bytes(), spans)).toBe(true);
  expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, index) => index + 1));
  expect(lines).toHaveLength(2000);
});

const getRoutes = ROUTES.filter(({ method }) => method === "GET").map(({ path }) =>
  path.replace("{trace_id}", "ab070707070707070707070700000001"),
);

test.each(getRoutes)("HEAD %s is answered like GET, without a body", async (path) => {
  const { request } = runReadApi();
  const aborting = new AbortController();

  const head = await request(path, { method: "HEAD" });
  const get = await request(path, { signal: aborting.signal });
  aborting.abort();

  expect(head.status).toBe(200);
  expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
  expect(await head.text()).toBe("");
});

test("an HTTP/1.0 client without Host is answered", async () => {
  const { api } = runReadApi();

  const answer = await rawRequest(api.port, "GET /healthz HTTP/1.0\r\n\r\n");

  expect(answer).toStartWith("HTTP/1.1 200 OK");
});

test("an unexpected body is refused before it is read", async () => {
  const { request, ring } = runReadApi();

  const response = await request("/api/spans/take", { method: "POST", body: "x".repeat(2000) });

  expect(response.status).toBe(413);
  expect(ring.size()).toBe(5);
});

test("a second listener on a port fails, and the error names the reason", async () => {
  const { api } = runReadApi();

  const second = runReadApi({ address: { host: "127.0.0.1", port: api.port } });

  await expect(second.api.listening).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("a stop waits for an answer in progress and refuses connections", async () => {
  const spans = largeRequest();
  const { api, request, put } = runReadApi({ spanCount: 0, capacity: LARGE_RING });
  put(spans);
  const init = { ...AS_PROTOBUF, method: "POST" };
  const response = await request("/api/spans/take?limit=1000000", init);

  const stopped = api.stop();
  const body = await response.bytes();
  await stopped;

  expect(body).toHaveLength(spans.length);
  await expect(request("/healthz")).rejects.toThrow();
});

/** Returns everything that the server sends in answer to this text, until it closes. */
async function rawRequest(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(text),
      data: (_, part) => void parts.push(Buffer.from(part)),
      close: () => resolve(Buffer.concat(parts).toString()),
    },
  });
  return promise;
}

test("answers are counted by status, including internal errors", async () => {
  const faults = {
    services: () => {
      throw new Error("the lock is lost");
    },
  };
  const { api, request } = runReadApi({ faults });

  for (const path of ["/healthz", "/healthz", "/nothing", "/api/services"]) {
    await request(path);
  }

  const counted = Object.entries(api.counts().requestsByStatus).filter(([, count]) => count > 0);
  expect(counted).toEqual([
    ["200", 2],
    ["404", 1],
    ["500", 1],
  ]);
});

test("every described status has a counter", async () => {
  const { api } = runReadApi();

  const statuses = ROUTES.flatMap(({ answers }) => Object.keys(answers));

  expect(Object.keys(api.counts().requestsByStatus)).toEqual(expect.arrayContaining(statuses));
});

test("a request is in flight until its answer is read to the end", async () => {
  const { api, request, put } = runReadApi({ capacity: LARGE_RING });
  put(largeRequest());

  const waiting = await request("/api/spans?limit=600000", AS_PROTOBUF);
  const during = api.counts();
  await waiting.bytes();

  expect(during).toMatchObject({ requestsInFlight: 1, waits: 0, tails: 0 });
  expect(during.answerBytes).toBeGreaterThan(2 ** 24);
  expect(api.counts()).toMatchObject({ requestsInFlight: 0, answerBytes: 0 });
});
