import { expect, test } from "bun:test";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import {
  attribute,
  request as requestBytes,
  resourceSpans,
  span,
} from "../../support/requests/request-bytes.ts";
import {
  AS_NDJSON,
  AS_PROTOBUF,
  linesOf,
  rangeOf,
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import { bytesField, fixed64Field, varintField } from "../../support/requests/wire-bytes.ts";

stopReadApisAfterEach();

const SECOND = 1_000_000_000n;
const ERROR = bytesField(15, varintField(3, 2));
const CHILD = bytesField(4, [1, 2, 3, 4, 5, 6, 7, 8]);

/** Returns the times of a span from `startSeconds` to `endSeconds`. */
function lasting(startSeconds: bigint, endSeconds: bigint): number[] {
  return [...fixed64Field(7, startSeconds * SECOND), ...fixed64Field(8, endSeconds * SECOND)];
}

interface QueryResult {
  readonly query: string;
  readonly found: number[];
}

/** Stores five spans, of which each filter in the table finds different ones. */
function runWithSpans() {
  const run = runReadApi({ spanCount: 0 });
  const now = BigInt(Math.floor(Date.now() / 1000));
  run.put(
    requestBytes(
      resourceSpans(
        "shop",
        span(1, varintField(6, 2), lasting(100n, 101n), bytesField(9, attribute("a", "x"))),
        span(2, varintField(6, 3), lasting(200n, 203n), ERROR, bytesField(9, attribute("a", "y"))),
      ),
    ),
  );
  run.put(requestBytes(resourceSpans("bank", span(3, lasting(300n, 300n), CHILD))));
  run.put(requestBytes(resourceSpans("bank", span(3, lasting(now, now + 5n), ERROR))));
  run.put(requestBytes(bytesField(1, bytesField(2, span(5, lasting(400n, 401n))))));
  return run;
}

test.each<QueryResult>([
  { query: "", found: [1, 2, 3, 4, 5] },
  { query: "service=shop", found: [1, 2] },
  { query: "service=unknown_service", found: [5] },
  { query: "name=span%203", found: [3, 4] },
  { query: "name=span+3", found: [3, 4] },
  { query: "trace_id=AB070707070707070707070700000003", found: [3, 4] },
  { query: "span_id=cd01020300000002", found: [2] },
  { query: "kind=server", found: [1] },
  { query: "kind=3", found: [2] },
  { query: "status=error", found: [2, 4] },
  { query: "status=error&service=bank", found: [4] },
  { query: "attribute=a%3Dx", found: [1] },
  { query: "attribute=a%3Dx&attribute=service.name%3Dshop", found: [1] },
  { query: "attribute=a=x&attribute=a=y", found: [] },
  { query: "min_duration=3s", found: [2, 4] },
  { query: "since=1970-01-01T00:03:20Z&until=1970-01-01T00:06:40Z", found: [2, 3] },
  { query: "since=1h", found: [4] },
  { query: "after=3", found: [4, 5] },
  { query: "after=5", found: [] },
  { query: `after=${RUN_ID}-3`, found: [4, 5] },
  { query: "limit=2", found: [1, 2] },
  { query: "limit=2&order=newest", found: [5, 4] },
  { query: "order=newest&service=shop", found: [2, 1] },
])("GET /api/spans?$query returns the spans $found", async ({ query, found }) => {
  const { request } = runWithSpans();

  const lines = await linesOf(await request(`/api/spans?${query}`, AS_NDJSON));

  expect(lines.map(({ sequence }) => sequence)).toEqual(found);
});

test.each<{ query: string; range: string[] }>([
  { query: "", range: ["1", "6"] },
  { query: "name=nothing", range: ["1", "6"] },
  { query: "after=2", range: ["3", "6"] },
  { query: "after=5", range: ["6", "6"] },
  { query: "limit=2", range: ["1", "3"] },
  { query: "limit=2&order=newest", range: ["4", "6"] },
])("GET /api/spans?$query reports the range $range", async ({ query, range }) => {
  const { request } = runWithSpans();

  const response = await request(`/api/spans?${query}`);

  expect(rangeOf(response)).toEqual(range);
});

test("a search can continue where the previous range ended", async () => {
  const { request } = runWithSpans();

  const [, next] = rangeOf(await request("/api/spans?limit=2"));
  const lines = await linesOf(await request(`/api/spans?after=${Number(next) - 1}`, AS_NDJSON));

  expect(lines.map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
});

test("spans that were evicted before the search are outside the range", async () => {
  const { request, put } = runReadApi({ spanCount: 0, capacity: { spans: 2, bytes: 4096 } });
  for (const number of [1, 2, 3, 4, 5]) put(requestBytes(resourceSpans("shop", span(number))));

  expect(rangeOf(await request("/api/spans"))).toEqual(["4", "6"]);
});

test("matching spans are returned in every format and stay in the buffer", async () => {
  const { request, ring } = runWithSpans();
  const path = "/api/spans?service=bank&limit=1";

  const json = await request(path);
  const bytes = await request(path, AS_PROTOBUF);

  const expected = ring.copy([3]).request;
  expect(await json.text()).toBe(`${otlpJson(expected)}\n`);
  expect(await bytes.bytes()).toEqual(expected);
  expect(ring.size()).toBe(5);
});

test("GET /api/traces summarises matching traces over all their spans", async () => {
  const { request } = runWithSpans();

  const response = await request("/api/traces?status=error&since=0&until=1970-01-01T00:16:40Z");

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(rangeOf(response)).toEqual(["1", "6"]);
  expect(await response.json()).toEqual({
    traces: [
      {
        traceId: "ab070707070707070707070700000002",
        root: "span 2",
        rootService: "shop",
        services: ["shop"],
        spans: 1,
        errors: 1,
        lastSequence: 2,
        startTimeUnixNano: "200000000000",
        durationNano: "3000000000",
      },
    ],
    sequence: { run_id: RUN_ID, first: 1, next: 6 },
  });
});

test("a trace may have no root, and a negative duration if it ends before it starts", async () => {
  const { request, put } = runReadApi({ spanCount: 0 });
  put(requestBytes(resourceSpans("shop", span(1, lasting(7n, 5n), CHILD))));

  const { traces } = (await (await request("/api/traces")).json()) as { traces: object[] };

  expect(traces).toMatchObject([{ root: null, rootService: null, durationNano: "-2000000000" }]);
});

test.each([
  { name: "start", fields: fixed64Field(8, 9n), start: null, duration: null },
  { name: "end", fields: fixed64Field(7, 9n), start: "9", duration: null },
])("the unknown $name of a trace is null", async ({ fields, start, duration }) => {
  const { request, put } = runReadApi({ spanCount: 0 });
  put(requestBytes(resourceSpans("shop", span(1, fields))));

  const { traces } = (await (await request("/api/traces")).json()) as { traces: object[] };

  expect(traces).toMatchObject([{ startTimeUnixNano: start, durationNano: duration }]);
});

test.each<QueryResult>([
  { query: "", found: [5, 3, 2, 1] },
  { query: "order=oldest", found: [1, 2, 3, 5] },
  { query: "limit=2", found: [5, 3] },
  { query: "after=4", found: [5] },
  { query: "service=bank", found: [3] },
])("GET /api/traces?$query returns the traces $found", async ({ query, found }) => {
  const { request } = runWithSpans();

  const { traces } = (await (await request(`/api/traces?${query}`)).json()) as {
    traces: { traceId: string }[];
  };

  expect(traces.map(({ traceId }) => Number(traceId.slice(-2)))).toEqual(found);
});

test("GET /api/traces/{trace_id} returns all spans of the trace, oldest first", async () => {
  const { request } = runWithSpans();

  const path = "/api/traces/Ab070707070707070707070700000003";
  const lines = await request(path, AS_NDJSON);
  const json = await request(path);

  expect(rangeOf(json)).toEqual(["1", "6"]);
  expect((await linesOf(lines)).map(({ sequence }) => sequence)).toEqual([3, 4]);
  expect(JSON.stringify(await json.json())).toContain('"name":"span 3"');
});

test("a trace without buffered spans is answered with 404", async () => {
  const { request } = runWithSpans();

  const response = await request("/api/traces/ab070707070707070707070700000009");

  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    parameter: "trace_id",
    detail: "no span of this trace is buffered",
  });
});

test.each([{}, AS_PROTOBUF, AS_NDJSON])("a large ring is returned whole: %j", async (init) => {
  const padding = bytesField(3, "p".repeat(20_000));
  const { request, put } = runReadApi({ spanCount: 0, capacity: { spans: 1_000, bytes: 2 ** 24 } });
  for (let first = 1; first <= 400; first += 100) {
    const spans = Array.from({ length: 100 }, (_, at) => span(first + at, padding));
    put(requestBytes(resourceSpans("shop", ...spans)));
  }

  const response = await request("/api/spans?limit=399", init);
  const text = await response.text();

  expect(rangeOf(response)).toEqual(["1", "400"]);
  const names = text.matchAll(/span \d+/g).map(([name]) => name);
  expect([...names]).toEqual(Array.from({ length: 399 }, (_, at) => `span ${at + 1}`));
});
