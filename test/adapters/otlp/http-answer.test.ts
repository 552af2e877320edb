import { expect, test } from "bun:test";
import { readHttpAnswer, retryAfterMs } from "../../../src/adapters/otlp/http-answer.ts";
import { exportFailure, exportSuccess } from "../../support/upstreams/otlp-receiver.ts";

const JSON_TYPE = "application/json";

test.each([
  { name: "in full", response: exportSuccess(JSON_TYPE), outcome: { outcome: "delivered" } },
  {
    name: "in part",
    response: exportSuccess(JSON_TYPE, 2, "bad"),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "bad" },
  },
  {
    name: "in a type whose name is spelled in capitals",
    response: new Response('{"partialSuccess":{"rejectedSpans":"2"}}', {
      headers: { "Content-Type": "Application/JSON; charset=utf-8" },
    }),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "" },
  },
  {
    name: "in no body at all",
    response: new Response(null, { status: 204 }),
    outcome: { outcome: "delivered" },
  },
])("a success $name", async ({ response, outcome }) => {
  expect(await readHttpAnswer(response, 3)).toEqual(outcome as never);
});

function brokenOff(): ReadableStream {
  return new ReadableStream({
    pull: (controller) => controller.error(new Error("http://host/?key=secret broke off")),
  });
}

test("a body that breaks off changes nothing, and the URL stays secret", async () => {
  const outcomes = [
    await readHttpAnswer(new Response(brokenOff()), 3),
    await readHttpAnswer(new Response(brokenOff(), { status: 503, statusText: "Busy" }), 3),
  ];

  expect(outcomes).toEqual([
    { outcome: "delivered", message: "its response was cut off: Error" },
    { outcome: "retry", message: "503: Busy" },
  ]);
});

test("a failure has the receiver's message and the time of a retry", async () => {
  const response = exportFailure(429, "slow down", { contentType: JSON_TYPE, retryAfter: "3" });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "retry",
    message: "429: slow down",
    afterMs: 3000,
  });
});

test.each([
  { name: "refuses", status: 400, outcome: "too_large" },
  { name: "may take later", status: 503, outcome: "retry" },
])("what a gateway $name for RESOURCE_EXHAUSTED is: $outcome", async ({ status, outcome }) => {
  const body = JSON.stringify({ code: 8, message: "too long" });
  const headers = { "Content-Type": JSON_TYPE };

  expect(await readHttpAnswer(new Response(body, { status, headers }), 3)).toEqual({
    outcome,
    message: `${status}: too long`,
  } as never);
});

test.each([
  { name: "says so", type: "text/html; charset=utf-8", body: "<h1>Sign in</h1>" },
  { name: "does not say so", type: "text/plain", body: "\n <!DOCTYPE html><html></html>" },
  { name: "claims to be JSON", type: JSON_TYPE, body: "<html><body>It works!</body></html>" },
])("200 with a web page that $name is not a delivery", async ({ type, body }) => {
  const response = new Response(body, { headers: { "Content-Type": type } });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "blocked",
    reason: "unsupported",
    message: "200: a web page, not the response of an OTLP receiver",
  });
});

test.each([
  { name: "a word", type: "text/plain", body: "ok" },
  { name: "a message of another kind", type: JSON_TYPE, body: "[]" },
])("200 with $name is a delivery, with a warning", async ({ type, body }) => {
  const response = new Response(body, { headers: { "Content-Type": type } });

  expect(await readHttpAnswer(response, 3)).toEqual({
    outcome: "delivered",
    message: "its response cannot be read",
  });
});

// Gateways answer so, and the read API of another spanring.
test.each([
  {
    body: '{"title":"Misdirected","detail":"the wrong\\nport"}',
    says: String.raw`the wrong\nport`,
  },
  { body: '{"title":"Misdirected","detail":1}', says: "Misdirected Request" },
  { body: "null", says: "Misdirected Request" },
  { body: "{", says: "Misdirected Request" },
])("a refusal with the problem $body says $says", async ({ body, says }) => {
  const headers = { "Content-Type": "application/problem+json" };
  const response = new Response(body, { status: 421, statusText: "Misdirected Request", headers });

  expect(await readHttpAnswer(response, 3)).toMatchObject({ message: `421: ${says}` });
});

test("a page without anything in it is as good as no body", async () => {
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
])("Retry-After: $header is $ms", ({ header, ms }) => {
  expect(retryAfterMs(header, NOW_MS)).toBe(ms);
});
