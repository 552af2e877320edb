import { expect, test } from "bun:test";
import { largeRequest } from "../../support/requests/large-request.ts";
import {
  request as requestBytes,
  requestOf,
  resourceSpans,
  span,
} from "../../support/requests/request-bytes.ts";
import {
  AS_NDJSON,
  linesOf,
  rangeOf,
  RUN_ID,
  type RunningReadApi,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";
import type { SpanReader } from "../../../src/ports/trace-buffer.ts";

stopReadApisAfterEach();

const CHILD = bytesField(4, [1, 2, 3, 4, 5, 6, 7, 8]);

test("buffered spans are found at once", async () => {
  const { request } = runReadApi();

  const response = await request("/api/wait?count=2&after=1", AS_NDJSON);

  expect(response.status).toBe(200);
  expect(rangeOf(response)).toEqual(["2", "4"]);
  expect((await linesOf(response)).map(({ sequence }) => sequence)).toEqual([2, 3]);
});

test("a span that arrives later ends the wait", async () => {
  const run = runReadApi();
  const waiting = run.request("/api/wait?name=span%207&timeout=10m", AS_NDJSON);

  await run.waiters(1);
  run.put(requestOf(3, 6));
  const response = await waiting;

  expect(response.status).toBe(200);
  expect(rangeOf(response)).toEqual(["7", "8"]);
  expect(await linesOf(response)).toMatchObject([{ sequence: 7, name: "span 7" }]);
});

test("buffered and new spans are counted together", async () => {
  const run = runReadApi();
  const waiting = run.request("/api/wait?count=7&timeout=10m", AS_NDJSON);

  await run.waiters(1);
  run.put(requestOf(1, 6));
  run.put(requestOf(5, 7));
  const lines = await linesOf(await waiting);

  expect(lines.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("after the newest span, only new ones are counted", async () => {
  const run = runReadApi();
  const [, next] = rangeOf(await run.request("/api/spans?limit=1&order=newest"));
  const waiting = run.request(`/api/wait?after=${Number(next) - 1}&timeout=10m`, AS_NDJSON);

  await run.waiters(1);
  run.put(requestOf(1, 9));

  expect(await linesOf(await waiting)).toMatchObject([{ sequence: 6, name: "span 9" }]);
});

test("a timeout is answered with 408 and the nearest misses", async () => {
  const { request, ring } = runReadApi();

  const response = await request("/api/wait?service=shop&count=3&name=span+2&timeout=1ms");

  expect(response.status).toBe(408);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(rangeOf(response)).toEqual(["1", "6"]);
  const { nearest, ...problem } = (await response.json()) as NearestProblem;
  expect(problem).toEqual({
    type: "about:blank",
    title: "Request Timeout",
    status: 408,
    detail: "1 of 3 spans arrived in time",
    found: 1,
    wanted: 3,
    sequence: { run_id: RUN_ID, first: 1, next: 6 },
  });
  expect(nearest).toMatchObject({ without: "name=span 2", count: 5 });
  expect(nearest.spans.resourceSpans).toHaveLength(5);
  expect(ring.size()).toBe(5);
});

interface NearestProblem {
  readonly nearest: { readonly spans: { readonly resourceSpans: unknown[] } };
}

test("the newest five near misses are returned", async () => {
  const { request } = runReadApi({ spanCount: 9 });

  const response = await request("/api/wait?kind=client&timeout=0s");

  const { nearest } = (await response.json()) as NearestProblem;
  expect(nearest).toMatchObject({ without: "kind=client", count: 9 });
  expect(nearest.spans.resourceSpans).toHaveLength(5);
  expect(JSON.stringify(nearest.spans.resourceSpans[0])).toContain('"span 9"');
});

test("a wait has an empty list without near misses, and none without conditions", async () => {
  const { request } = runReadApi({ spanCount: 1 });

  const far = await request("/api/wait?service=bank&name=a%00b&timeout=0s");
  const any = await request("/api/wait?count=2&timeout=0s");

  expect(await far.json()).toMatchObject({
    nearest: { without: "name=a\\x00b", count: 0, spans: { resourceSpans: [] } },
  });
  expect(await any.json()).not.toHaveProperty("nearest");
});

test("the omitted condition is the last one in the query", async () => {
  const { request } = runReadApi();

  const response = await request(
    "/api/wait?timeout=0s&kind=1&attribute=a%3D1&status=error&attribute=b%3D2%3D3&count=1",
  );

  expect(await response.json()).toMatchObject({ nearest: { without: "attribute=b=2=3" } });
});

test("an expected absence is answered with 200 and no span after the timeout", async () => {
  const { request } = runReadApi();

  const response = await request("/api/wait?name=no+such&absent=true&count=0&timeout=1ms");

  expect(response.status).toBe(200);
  expect(rangeOf(response)).toEqual(["1", "6"]);
  expect(await response.json()).toEqual({ resourceSpans: [] });
});

test("a violated absence is answered with 409 and the span at once", async () => {
  const run = runReadApi();
  const waiting = run.request("/api/wait?name=span+9&absent=true&timeout=10m");

  await run.waiters(1);
  run.put(requestOf(1, 9));
  const response = await waiting;

  expect(response.status).toBe(409);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const { spans, ...problem } = (await response.json()) as { spans: object };
  expect(problem).toEqual({
    type: "about:blank",
    title: "Conflict",
    status: 409,
    detail: "a span matches, but none was expected",
    sequence: { run_id: RUN_ID, first: 6, next: 7 },
  });
  expect(JSON.stringify(spans)).toStartWith('{"resourceSpans":[{');
  expect(JSON.stringify(spans)).toContain('"span 9"');
});

test("trace_complete returns all spans of a trace once it has a root and is quiet", async () => {
  const run = runReadApi({ spanCount: 0 });
  const query = "name=span+1&trace_complete=true&quiet=1ms&count=2&timeout=10m";
  const waiting = run.request(`/api/wait?${query}`, AS_NDJSON);

  await run.waiters(1);
  run.put(requestBytes(resourceSpans("shop", span(1, CHILD))));
  run.put(requestBytes(resourceSpans("bank", span(1, varintField(6, 2)))));
  const lines = await linesOf(await waiting);

  expect(lines).toMatchObject([
    { sequence: 1, service: "shop" },
    { sequence: 2, service: "bank", kind: 2 },
  ]);
});

test("408 of trace_complete describes the incomplete trace", async () => {
  const { request, put } = runReadApi({ spanCount: 0 });
  put(requestBytes(resourceSpans("shop", span(1, CHILD))));

  const response = await request("/api/wait?trace_complete=true&timeout=5ms&quiet=1ms");

  expect(response.status).toBe(408);
  expect(await response.json()).toMatchObject({
    found: 1,
    wanted: 1,
    detail: expect.stringContaining("no root arrived, and the parent 0102030405060708 is missing"),
  });
});

test("with a timeout of 0, only buffered spans are counted", async () => {
  const run = runReadApi({ capacity: { spans: 600_000, bytes: 2 ** 25 } });
  run.put(largeRequest());
  run.put(requestBytes(resourceSpans("bank", span(7))));

  const response = await run.request("/api/wait?service=bank&timeout=0s");

  expect(response.status).toBe(200);
});

test("the wait of a client that disconnects ends and returns its permit", async () => {
  const run = runReadApi({ maxWaits: 2 });
  const aborting = new AbortController();
  const init = { signal: aborting.signal };
  const waiting = [
    run.request("/api/wait?name=never&timeout=10m", init),
    run.request("/api/wait?name=never&timeout=10m", init),
  ];
  await run.waiters(2);

  const refused = await run.request("/api/wait");
  aborting.abort();
  const ends = await Promise.allSettled(waiting);
  await run.waiters(0);
  const answered = await run.request("/api/wait");

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ detail: "2 requests are already waiting" });
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(answered.status).toBe(200);
  expect(run.logger.lines).toEqual([]);
});

const PIECES = 60;
const PIECE = requestOf(2_048);

const MANY_MATCHES = requestBytes(
  resourceSpans("shop", ...Array.from({ length: 150 }, () => span(7))),
);

test.each([
  {
    name: "its client has disconnected",
    end: (_: RunningReadApi, client: AbortController) => client.abort(),
  },
  { name: "it has found enough spans", end: (run: RunningReadApi) => run.put(MANY_MATCHES) },
])("after $name, a search for a wait stops and holds nothing", async ({ end }) => {
  let scans = 0;
  const visit: SpanReader["visit"] = (...scan) => {
    scans += 1;
    run.ring.visit(...scan);
  };
  const capacity = { spans: 150_000, bytes: 2 ** 24 };
  const run = runReadApi({ spanCount: 0, capacity, answerBudgetBytes: 1, faults: { visit } });
  // Each step of the search finds one match, fewer in total than the wait needs.
  for (let piece = 0; piece < PIECES; piece += 1) run.put(PIECE);
  const aborting = new AbortController();
  const waiting = run.request("/api/wait?name=span+7&count=150&timeout=10m", aborting);
  await run.waiters(1);

  end(run, aborting);
  await waiting.then((response) => response.bytes()).catch(() => {});
  await run.waiters(0);
  for (let round = 0; round < PIECES; round += 1) await nextTurn();

  expect(scans).toBeLessThan(PIECES);
  expect(run.api.counts().answerBytes).toBe(0);
});

test("waits end when the program stops, and new ones are refused", async () => {
  const run = runReadApi();
  const waiting = run.request("/api/wait?name=never&timeout=10m");
  await run.waiters(1);

  run.beginToStop();
  const interrupted = await waiting;
  const later = await run.request("/api/wait?name=never&timeout=10m");
  await run.api.stop();

  expect([interrupted.status, later.status]).toEqual([503, 503]);
  expect(await interrupted.json()).toMatchObject({ detail: "the server is stopping" });
});

test("an internal error in a wait is answered with 500 and returns the permit", async () => {
  const faults = {
    copy: () => {
      throw new Error("the lock is lost");
    },
  };
  const { request, logger } = runReadApi({ faults, maxWaits: 1 });

  const answers = [await request("/api/wait"), await request("/api/wait")];

  expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  expect(logger.lines.map(({ event }) => event)).toEqual(["api_failed", "api_failed"]);
});

test("an unacceptable Accept is answered with 406 before the wait", async () => {
  const { request } = runReadApi();
  const headers = { Accept: "text/event-stream" };

  const response = await request("/api/wait?name=never&timeout=10m", { headers });

  expect(response.status).toBe(406);
});
