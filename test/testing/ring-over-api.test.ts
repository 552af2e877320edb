import { expect, test } from "bun:test";
import { CONDITION_NAMES } from "../../src/domain/query/span-filter.ts";
import type { SpanConditions } from "../../src/testing/test-spanring.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { describedRequests, SHOP } from "../support/requests/described-spans.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { RING_KINDS } from "../support/testing/ring-kinds.ts";

async function sendBroken(http: string): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  await fetch(`${http}/v1/traces`, { method: "POST", headers, body: "[]" });
}

test.each(RING_KINDS)("a ring $kind finds spans, traces and near misses", async (each) => {
  await using ring = await each.startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(2));

  const [span] = await ring.waitFor({ name: "span 1" });
  const missed = ring.waitFor({ service: "shop", name: "no" }, { timeoutMs: 1 });

  expect(span).toMatchObject({
    name: "span 1",
    resource: { attributes: { "service.name": "shop" } },
  });
  expect(await ring.spans({ name: "span 2" })).toHaveLength(1);
  expect((await ring.traces()).flatMap(({ spans }) => spans)).toHaveLength(2);
  expect(await missed.catch(String)).toBe(
    'Error: 0 of 1 spans arrived within 1 ms; without name=no, 2 match, such as "span 2", "span 1"',
  );
});

test.each(RING_KINDS)("a ring $kind waits for a trace with its root", async (each) => {
  await using ring = await each.startSpanring();
  const waiting = ring.waitForTrace({ name: "span 1" });

  await exportOverHttp(ring.endpoints.http, requestOf(1));

  const { traceId, spans } = await waiting;
  expect(spans).toMatchObject([{ traceId, name: "span 1" }]);
});

test.each(RING_KINDS)("a ring $kind rejects spans that should be absent", async (each) => {
  await using ring = await each.startSpanring();
  await ring.expectNone();
  await exportOverHttp(ring.endpoints.http, requestOf(2));

  expect(await ring.expectNone({ name: "span 1" }).catch(String)).toBe(
    'Error: 1 span matches, but none was expected: "span 1"',
  );
  expect(await ring.expectNone({ name: "no" })).toBeUndefined();
  expect(await ring.expectNone().catch(String)).toContain("2 spans match");
});

test.each(RING_KINDS)("a ring $kind does not call refused spans absent", async (each) => {
  await using ring = await each.startSpanring();
  await sendBroken(ring.endpoints.http);
  const before = await ring.expectNone().catch(String);

  await ring.clear();

  expect(before).toContain("no span arrived, but 1 request was JSON, but not OTLP");
  expect(await ring.expectNone()).toBeUndefined();
});

test.each(RING_KINDS)("a ring $kind reports mistakes in its variables", async (each) => {
  const wrong = each.startSpanring({ env: { MAX_BUFFER_SIZE: "none" } });

  expect(await wrong.catch(String)).toContain('MAX_BUFFER_SIZE="none": must be a whole number');
});

test.each(RING_KINDS)("a ring $kind rejects after a stop", async (each) => {
  const ring = await each.startSpanring();
  const waiting = ring.waitFor({ name: "no" }, { timeoutMs: 60_000 }).catch(String);

  await ring.stop();

  expect(await waiting).toBe("Error: spanring was stopped; read spans before");
  expect(await fetch(ring.endpoints.api).catch(() => "closed")).toBe("closed");
});

test("the types name every condition of the read API", () => {
  const every: Record<keyof SpanConditions, true> = {
    service: true,
    text: true,
    name: true,
    name_contains: true,
    name_matches: true,
    trace_id: true,
    span_id: true,
    links_to: true,
    kind: true,
    status: true,
    attribute: true,
    attribute_exists: true,
    attribute_matches: true,
    attribute_number: true,
    min_duration: true,
    max_duration: true,
    since: true,
    until: true,
  };

  expect(Object.keys(every).toSorted()).toEqual([...CONDITION_NAMES].toSorted());
});

test.each(RING_KINDS)("a ring $kind checks expectations", async (each) => {
  await using ring = await each.startSpanring();
  for (const request of describedRequests(SHOP)) {
    await exportOverHttp(ring.endpoints.http, request);
  }

  const [span] = await ring.expect("name=SELECT* under name='GET /orders'");
  const missed = ring
    .expect("name=SELECT* under name='GET /order'", { timeoutMs: 1 })
    .catch(String);
  const mistaken = ring.expect("nmae=x").catch(String);

  expect(span?.name).toBe("SELECT orders");
  expect(String(await missed).split("\n")).toEqual([
    "Error: expected name=SELECT* under name='GET /order'",
    "the expectation is not met; 0 spans were found",
    "nearest: SELECT orders (db)",
    "  expected under name='GET /order'; found under authorize, under GET /orders",
    '  "GET /orders"',
    '    "authorize"',
    '→     "SELECT orders"',
  ]);
  expect(await mistaken).toContain('at column 1: unknown condition "nmae"');
});

test.each(RING_KINDS)("a ring $kind meets no absence if spans were refused", async (each) => {
  await using ring = await each.startSpanring();
  await ring.expect("no error anywhere");
  await sendBroken(ring.endpoints.http);

  expect(await ring.expect("no error anywhere").catch(String)).toContain(
    "expected no error anywhere\nno span arrived, but 1 request was JSON, but not OTLP",
  );
});

test.each(RING_KINDS)("a ring $kind refuses an expectation that is no text", async (each) => {
  await using ring = await each.startSpanring();

  expect(await ring.expect(undefined as never).catch(String)).toContain("it must be a string");
});
