import { afterEach, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { HttpSink, type HttpSinkParts } from "../../../src/adapters/forward/http-sink.ts";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";
import { SecretText } from "../../../src/domain/text/quote-text.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { startHttpUpstream } from "../../support/upstreams/http-upstream.ts";
import { exportFailure, exportSuccess } from "../../support/upstreams/otlp-receiver.ts";
import { HTTP_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function openSink(url: string, parts: Partial<HttpSinkParts> = {}): HttpSink {
  const sink = new HttpSink({ ...HTTP_PARTS, url: new SecretText(url), ...parts });
  ends.push(() => sink.close());
  return sink;
}

function startUpstream(reply: Parameters<typeof startHttpUpstream>[0]) {
  const upstream = startHttpUpstream(reply);
  ends.push(() => upstream.stop());
  return { ...upstream, url: `http://127.0.0.1:${upstream.port}` };
}

async function answered(response: Response): Promise<SendOutcome> {
  return await openSink(startUpstream(() => response).url).send(batchOf(3), never);
}

test.each([429, 502, 503, 504])("%d without Retry-After has no delay", async (code) => {
  expect(await answered(exportFailure(code, "later"))).toEqual({
    outcome: "retry",
    message: `${code}: later`,
  });
});

test.each([429, 502, 503, 504])("%d is retried after the delay in Retry-After", async (code) => {
  expect(await answered(exportFailure(code, "later", { retryAfter: "3" }))).toEqual({
    outcome: "retry",
    message: `${code}: later`,
    afterMs: 3000,
  });
});

test("Retry-After may be a date", async () => {
  const retryAfter = new Date(Date.now() + 3_600_000).toUTCString();

  const outcome = await answered(exportFailure(503, "later", { retryAfter }));

  expect((outcome as { afterMs: number }).afterMs).toBeWithin(3_000_000, 3_600_001);
});

test("RetryInfo in the body applies without Retry-After", async () => {
  const value = google.rpc.RetryInfo.encode({ retryDelay: { seconds: 2, nanos: 0 } }).finish();
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value }];
  const body = google.rpc.Status.encode({ code: 14, message: "later", details }).finish();

  const outcome = await answered(new Response(Uint8Array.from(body), { status: 503 }));

  expect(outcome).toEqual({ outcome: "retry", message: "503: later", afterMs: 2000 });
});

test.each([
  [400, "invalid"],
  [422, "invalid"],
  [500, "internal"],
] as const)("%d may concern the spans: refused as %s", async (code, reason) => {
  expect(await answered(exportFailure(code, "no", { retryAfter: "1" }))).toEqual({
    outcome: "refused",
    reason,
    message: `${code}: no`,
  });
});

test.each([
  [401, "unauthenticated"],
  [403, "forbidden"],
  [404, "not_found"],
  [405, "unsupported"],
  [408, "other"],
  [415, "unsupported"],
  [425, "other"],
  [501, "unsupported"],
  [520, "other"],
] as const)("%d concerns the connection or the route: blocked as %s", async (code, reason) => {
  expect(await answered(exportFailure(code, "no", { retryAfter: "1" }))).toEqual({
    outcome: "blocked",
    reason,
    message: `${code}: no`,
  });
});

test("413 means too large", async () => {
  expect(await answered(exportFailure(413, "4 MiB at most"))).toEqual({
    outcome: "too_large",
    message: "413: 4 MiB at most",
  });
});

test.each([
  {
    name: "a status in JSON",
    response: exportFailure(400, "in JSON", { contentType: JSON_TYPE }),
    message: "400: in JSON",
  },
  {
    name: "plain text",
    response: new Response("token has expired\n", { status: 401 }),
    message: "401: token has expired\\n",
  },
  {
    name: "a web page",
    response: new Response("<html>no</html>", {
      status: 403,
      headers: { "Content-Type": "text/html" },
    }),
    message: "403: Forbidden",
  },
  { name: "no body", response: new Response(null, { status: 404 }), message: "404: Not Found" },
])("the message of a failure with $name is short", async ({ response, message }) => {
  expect((await answered(response)).message).toBe(message);
});

test.each([301, 302, 303, 307, 308])("a redirect with %d is not followed", async (status) => {
  const other = startUpstream(() => exportSuccess(PROTOBUF));
  const headers = { Location: `${other.url}/elsewhere?token=secret` };

  const outcome = await answered(new Response(null, { status, headers }));

  expect(outcome).toEqual({
    outcome: "blocked",
    reason: "redirected",
    message: `${status}: redirects are not followed; this one leads to ${other.url}/elsewhere`,
  });
  expect(other.requests).toEqual([]);
});

test("a redirect without a target is not followed", async () => {
  expect((await answered(new Response(null, { status: 302 }))).message).toBe(
    "302: redirects are not followed",
  );
});

test.each([
  { name: "in JSON", response: exportSuccess(JSON_TYPE, 2, "bad ids") },
  { name: "in protobuf", response: exportSuccess(PROTOBUF, 2, "bad ids") },
])("a partial success $name is read", async ({ response }) => {
  expect(await answered(response)).toEqual({
    outcome: "partly_rejected",
    rejectedSpans: 2,
    message: "bad ids",
  });
});

test("an answer above 4 MiB is not read, and the batch counts as delivered", async () => {
  expect(await answered(new Response(new Uint8Array(5 * 1024 * 1024)))).toEqual({
    outcome: "delivered",
    message: "its response is longer than 4194304 bytes, and was not read",
  });
});

test("only the status is reported for a failure above 4 MiB", async () => {
  const body = new Uint8Array(5 * 1024 * 1024);

  expect(await answered(new Response(body, { status: 503 }))).toEqual({
    outcome: "retry",
    message: "503: Service Unavailable",
  });
});

/** Starts a server that answers any request with `text` and closes the connection. */
async function startRawServer(text: string): Promise<string> {
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(text));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  ends.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a success with a truncated answer counts as delivered", async () => {
  const url = await startRawServer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx");

  const outcome = await openSink(url).send(batchOf(1), never);

  expect(outcome.outcome).toBe("delivered");
  expect(outcome.message).toStartWith("its response was cut off: ");
});

test.each([
  ["a greeting", "220 smtp.example.com ESMTP\r\n"],
  ["nothing", ""],
  ["half a status", "HTTP/1.1 20"],
])("an upstream that closes the connection after %s is retried", async (_, text) => {
  const url = await startRawServer(text);

  expect((await openSink(url).send(batchOf(1), never)).outcome).toBe("retry");
});

test("a silent upstream is retried after the timeout", async () => {
  const requested = Promise.withResolvers<void>();
  const { url } = startUpstream(() => void requested.resolve());
  const clock = new HandMovedClock();
  const sending = openSink(url, { timeoutMs: 30_000, clock }).send(batchOf(1), never);

  await requested.promise;
  clock.moveMs(30_000);

  const message = "TimeoutError: no response in time";
  expect(await sending).toEqual({ outcome: "retry", message, isTimeout: true });
});

test("a send leaves no timer, whether it is answered or fails", async () => {
  const clock = new HandMovedClock();
  const { url } = startUpstream(() => exportSuccess(PROTOBUF));

  const { outcome } = await openSink(url, { clock }).send(batchOf(1), never);
  const other = await openSink("http://127.0.0.1:1/", { clock }).send(batchOf(1), never);

  expect([outcome, other.outcome, clock.pendingActions]).toEqual(["delivered", "retry", 0]);
});

test("an unknown host is retried, and the message does not contain the URL", async () => {
  const outcome = await openSink("http://no-such-host.invalid/").send(batchOf(1), never);

  expect(outcome.outcome).toBe("retry");
  expect(outcome.message).not.toContain("invalid/");
});

test("every request has the path, the query and the headers", async () => {
  const upstream = startUpstream(() => exportSuccess(PROTOBUF));
  const headers = [["api-key", "secret"]] as const;

  await openSink(`${upstream.url}/otlp/v1/traces?key=a%20b`, { headers }).send(batchOf(1), never);

  const [request] = upstream.requests;
  expect(request).toMatchObject({ path: "/otlp/v1/traces?key=a%20b", method: "POST" });
  expect(Object.fromEntries(request!.headers)).toMatchObject({
    "content-type": PROTOBUF,
    "content-encoding": "gzip",
    "user-agent": "spanring-test/1",
    "accept-encoding": "identity",
    "api-key": "secret",
  });
});

test.each([
  { compression: "none", encoding: null, isFewer: false },
  { compression: "gzip", encoding: "gzip", isFewer: true },
  { compression: "zstd", encoding: "zstd", isFewer: true },
] as const)("$compression is applied", async ({ compression, encoding, isFewer }) => {
  const upstream = startUpstream(() => exportSuccess(PROTOBUF));
  const batch = batchOf(500);

  await openSink(upstream.url, { compression }).send(batch, never);

  const [{ bytes, bodyBytes, headers }] = upstream.requests as [(typeof upstream.requests)[number]];
  expect(headers.get("content-encoding")).toBe(encoding);
  expect(bodyBytes < batch.request.length / 2).toBe(isFewer);
  expect(Buffer.from(bytes).equals(batch.request)).toBe(true);
});

test("consecutive requests use one connection", async () => {
  const upstream = startUpstream(() => exportSuccess(PROTOBUF));
  const sink = openSink(upstream.url);

  for (let at = 0; at < 5; at += 1) await sink.send(batchOf(1), never);

  expect(new Set(upstream.requests.map(({ from }) => from)).size).toBe(1);
});

test("the proxy of the environment is not used for hosts on this machine", async () => {
  const upstream = startUpstream(() => exportSuccess(PROTOBUF));
  const proxy = startUpstream(() => exportSuccess(PROTOBUF));
  const before = process.env["http_proxy"];
  process.env["http_proxy"] = proxy.url;
  ends.push(() => restore("http_proxy", before));

  await openSink(upstream.url).send(batchOf(1), never);
  const elsewhere = await openSink("http://upstream.invalid/").send(batchOf(1), never);

  expect(upstream.requests).toHaveLength(1);
  expect(elsewhere).toEqual({ outcome: "delivered" });
  expect(proxy.requests).toHaveLength(1);
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
