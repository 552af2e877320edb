import { expect, spyOn, test } from "bun:test";
import * as published from "spanring/testing";
import { ObservabilityBuffer } from "../src/application/ring/observability-buffer.ts";
import { type SpanConditions, startSpanring } from "../src/testing.ts";
import { exportOverHttp } from "./support/running/export-over-http.ts";
import { requestOf } from "./support/requests/request-bytes.ts";

test("a wait finds spans that an application exports", async () => {
  await using ring = await startSpanring();

  const waiting = ring.waitFor({ service: "shop", name: "span 2" });
  await exportOverHttp(ring.endpoints.http, requestOf(3));

  expect(await waiting).toMatchObject([{ name: "span 2", kind: 0 }]);
  expect((await ring.spans()).map(({ name }) => name)).toEqual(["span 1", "span 2", "span 3"]);
  expect(await ring.spans({ name: "span 3" })).toHaveLength(1);
});

test("a failed wait reports how many spans arrived, and near misses", async () => {
  await using ring = await startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(2));

  const waiting = ring.waitFor({ service: "shop", name: "no" }, { count: 3, timeoutMs: 1 });

  expect(await waiting.catch(String)).toBe(
    "Error: 0 of 3 spans arrived within 1 ms; without name=no, 2 match, " +
      'such as "span 2", "span 1"',
  );
});

test("a failed wait reports the refusals since the last clear with a remedy", async () => {
  await using ring = await startSpanring();
  const send = (path: string) => fetch(`${ring.endpoints.http}${path}`, { method: "POST" });
  await send("/v1/spans");
  await ring.clear();
  await fetch(`${ring.endpoints.http}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "[]",
  });

  const message = await ring.waitFor({ name: "no" }, { timeoutMs: 1 }).catch(String);

  expect(message).toContain("arrived within 1 ms");
  expect(message).toContain("\nno span arrived, but 1 request was JSON, but not OTLP (not OTLP/");
  expect(message).not.toContain("unknown path");
});

test("a clear excludes earlier spans", async () => {
  await using ring = await startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(2));

  await ring.clear();
  const left = await ring.spans();
  await exportOverHttp(ring.endpoints.http, requestOf(1));

  expect(left).toEqual([]);
  expect(await ring.waitFor({}, { count: 1 })).toHaveLength(1);
});

test("all listeners have their own ports, which are closed after a stop", async () => {
  const ring = await startSpanring();
  const { grpc, http, api } = ring.endpoints;
  const ready = await fetch(`${api}/readyz`);

  await ring.stop();

  expect(new Set([grpc, http, api]).size).toBe(3);
  expect(ready.status).toBe(200);
  expect(await fetch(`${api}/readyz`).catch(() => "refused")).toBe("refused");
});

test("the package exports `startSpanring` as spanring/testing", () => {
  expect(published.startSpanring).toBe(startSpanring);
});

test("all of several attributes must match", async () => {
  await using ring = await startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(1));

  const attribute = ["service.name=shop", "service.name=cart"];

  expect(await ring.spans({ attribute: "service.name=shop" })).toHaveLength(1);
  expect(await ring.spans({ attribute })).toEqual([]);
});

test.each([
  { name: "an invalid value", conditions: { kind: "round" }, says: "round" },
  { name: "an unknown name", conditions: { nmae: "x" }, says: 'unknown parameter "nmae"' },
  // JavaScript, and TypeScript without its strictest options, allow these values.
  {
    name: "an undefined value",
    conditions: { name: undefined },
    says: "name is undefined; it must be a string",
  },
  {
    name: "a number for a text",
    conditions: { min_duration: 5 },
    says: "min_duration is of type number",
  },
  {
    name: "null",
    conditions: { attribute: [null] },
    says: "attribute is null; it must be a string",
  },
])("a condition with $name rejects at once", async ({ conditions, says }) => {
  await using ring = await startSpanring();

  const given = conditions as SpanConditions;
  const waiting = ring.waitFor(given, { timeoutMs: 60_000 }).catch(String);
  const reading = ring.spans(given).catch(String);

  expect(await waiting).toContain("Error: ");
  expect(await waiting).toContain(says);
  expect(await reading).toContain(says);
});

test("waits reject with the reason if the receiver fails", async () => {
  await using ring = await startSpanring();
  using append = spyOn(ObservabilityBuffer.prototype, "append");
  append.mockImplementation(() => {
    throw new Error("unforeseen");
  });

  const waiting = ring.waitFor({ name: "span 1" }, { timeoutMs: 60_000 }).catch(String);
  const sending = exportOverHttp(ring.endpoints.http, requestOf(1)).catch(String);

  const says = "spanring has failed: receive_failed";
  expect(await waiting).toContain(says);
  expect(await waiting).toContain("unforeseen");
  expect(await ring.spans().catch(String)).toContain(says);
  await sending;
});

test("a stop ends waits, and later calls reject", async () => {
  const ring = await startSpanring();
  const waiting = ring.waitFor({ name: "no" }, { timeoutMs: 60_000 }).catch(String);

  await ring.stop();

  const says = "Error: spanring was stopped; read spans before";
  expect(await waiting).toBe(says);
  expect(await ring.waitFor({}).catch(String)).toBe(says);
  expect(await ring.spans().catch(String)).toBe(says);
});

test("variables of spanring are used and checked", async () => {
  await using small = await startSpanring({ env: { MAX_BUFFER_SIZE: "2" } });
  await exportOverHttp(small.endpoints.http, requestOf(3));

  const wrong = startSpanring({ env: { MAX_BUFFER_SIZE: "none" } }).catch(String);

  expect((await small.spans()).map(({ name }) => name)).toEqual(["span 2", "span 3"]);
  expect(await wrong).toContain('MAX_BUFFER_SIZE="none"');
});

test("a port in use is reported", async () => {
  await using ring = await startSpanring();
  const { port } = new URL(ring.endpoints.http);

  const second = startSpanring({ env: { OTLP_HTTP_PORT: port } });

  expect(await second.catch(String)).toContain("the port is in use");
});
