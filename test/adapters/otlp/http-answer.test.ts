import { expect, test } from "bun:test";
import { readHttpAnswer, retryAfterMs } from "../../../src/adapters/otlp/http-answer.ts";
import { exportFailure, exportSuccess } from "../../support/upstreams/otlp-receiver.ts";

const JSON_TYPE = "application/json";

test.each([
  {
    name: "without a message",
    response: exportSuccess(JSON_TYPE),
    outcome: { outcome: "delivered" },
  },
  {
    name: "with rejected spans",
    response: exportSuccess(JSON_TYPE, 2, "bad"),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "bad" },
  },
  {
    name: "with an upper-case media type",
    response: new Response('{"partialSuccess":{"rejectedSpans":"2"}}', {
      headers: { "Content-Type": "Application/JSON; charset=utf-8" },
    }),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "" },
  },
  {
    name: "without a body",
    response: new Response(null, { status: 204 }),
    outcome: { outcome: "delivered" },
  },
])("a success $name is read", async ({ response, outcome }) => {
  expect(await readHttpAnswer(response, 3)).toEqual(outcome as never);
});

function brokenOff(): ReadableStream {
  return new ReadableStream({
    pull: (controller) => controller.error(new Error("http://host/?key=secret broke off")),
  });
}

test("a truncated body does not change the outcome or reveal the URL", async () => {
  const outcomes = [
    await readHttpAnswer(new Response(brokenOff()), 3),
    await readHttpAnswer(new Response(brokenOff(), { status: 503, statusText: "Busy" }), 3),
  ];

  expect(outcomes).toEqual([
    { outcome: "delivered", message: "its response was cut off: Error" },
    { outcome: "retry", message: "503: Busy" },
  ]);
});

test("a failure contains the receiver's message and the delay of a retry", async () => {
  const response = exportFailure(429, "slow down", { contentType: JSON_TYPE, retryAfter: "3" });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "retry",
    message: "429: slow down",
    afterMs: 3000,
  });
});

test.each([
  { name: "with a permanent status", status: 400, outcome: "too_large" },
  { name: "with a retryable status", status: 503, outcome: "retry" },
])("RESOURCE_EXHAUSTED from a gateway $name means $outcome", async ({ status, outcome }) => {
  const body = JSON.stringify({ code: 8, message: "too long" });
  const headers = { "Content-Type": JSON_TYPE };

  expect(await readHttpAnswer(new Response(body, { status, headers }), 3)).toEqual({
    outcome,
    message: `${status}: too long`,
  } as never);
});

test.each([
  { name: "is declared as HTML", type: "text/html; charset=utf-8", body: "<h1>Sign in</h1>" },
  { name: "is declared as text", type: "text/plain", body: "\n <!DOCTYPE html><html></html>" },
  { name: "is declared as JSON", type: JSON_TYPE, body: "<html><body>It works!</body></html>" },
])("a web page with status 200 that $name is not a delivery", async ({ type, body }) => {
  const response = new Response(body, { headers: { "Content-Type": type } });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "blocked",
    reason: "unsupported",
    message: "200: a web page, not the response of an OTLP receiver",
  });
});

test.each([
  { name: "a word", type: "text/plain", body: "ok" },
  { name: "JSON of another shape", type: JSON_TYPE, body: "[]" },
])("$name with status 200 is a delivery with a warning", async ({ type, body }) => {
  const response = new Response(body, { headers: { "Content-Type": type } });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "delivered",
    message: "its response cannot be read",
  });
});

// Gateways and the read API of spanring answer in this way.
test.each([
  {
    body: '{"title":"Misdirected","detail":"the wrong\\nport"}',
    says: String.raw`the wrong\nport`,
  },
  { body: '{"title":"Misdirected","detail":1}', says: "Misdirected Request" },
  { body: "null", says: "Misdirected Request" },
  { body: "{", says: "Misdirected Request" },
])("a refusal with the problem $body is reported as $says", async ({ body, says }) => {
  const headers = { "Content-Type": "application/problem+json" };
  const response = new Response(body, { status: 421, statusText: "Misdirected Request", headers });

  expect(await readHttpAnswer(response, 3)).toMatchObject({ message: `421: ${says}` });
});

test("an empty page counts as no body", async () => {
  const response = new Response("", { headers: { "Content-Type": "text/html" } });

  expect(await readHttpAnswer(response, 3)).toEqual({ outcome: "delivered" });
});

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

test.each([
  { header: "0", ms: 0 },
  { header: "120", ms: 120_000 },
  { header: " 7 ", ms: 7000 },
  { header: "Fri, 02 Jan 2026 03:04:15 GMT", ms: 10_000 },
  { header: "Friday, 02-Jan-26 03:04:15 GMT", ms: 10_000 },
  { header: "Fri, 02 Jan 2026 03:04:00 GMT", ms: 0 },
  { header: null, ms: undefined },
  { header: "", ms: undefined },
  { header: "soon", ms: undefined },
  { header: "1.5", ms: undefined },
  { header: "-1", ms: undefined },
  { header: "9".repeat(40), ms: undefined },
  { header: "2026-01-02", ms: undefined },
  { header: "Fri, 99 Foo", ms: undefined },
])("Retry-After: $header is read as $ms ms", ({ header, ms }) => {
  expect(retryAfterMs(header, NOW_MS)).toBe(ms);
});
