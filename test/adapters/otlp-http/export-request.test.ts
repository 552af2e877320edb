import { describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { goldenRequest } from "../../support/requests/golden-requests.ts";
import { sendHalfBody } from "../../support/running/half-sent-body.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

const REQUEST = goldenRequest("events-links-status");
const JSON_TYPE = { "Content-Type": "application/json" };

/** A request in JSON with one span that has only a name. */
const JSON_REQUEST = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}';
const JSON_REQUEST_BYTES = Buffer.concat([
  Buffer.of(0x0a, 11, 0x12, 9, 0x12, 7, 0x2a, 5),
  Buffer.from("GET /"),
]);

describe("the receiver gets the original body", () => {
  test.each([
    { name: "without an encoding", body: REQUEST, headers: {} },
    { name: "identity", body: REQUEST, headers: { "Content-Encoding": "identity" } },
    { name: "gzip", body: gzipSync(REQUEST), headers: { "Content-Encoding": "gzip" } },
    { name: "deflate", body: deflateSync(REQUEST), headers: { "Content-Encoding": "deflate" } },
    { name: "zstd", body: zstdCompressSync(REQUEST), headers: { "Content-Encoding": "zstd" } },
  ])("with the encoding: $name", async ({ body, headers }) => {
    const { send, receiver } = runOtlpHttp();

    const response = await send(new Uint8Array(body), { headers });

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
    expect(await response.bytes()).toHaveLength(0);
    expect(receiver.requests).toEqual([Buffer.from(REQUEST)]);
  });

  test.each([
    { name: "JSON", body: Buffer.from(JSON_REQUEST), headers: {} },
    { name: "gzip", body: gzipSync(JSON_REQUEST), headers: { "Content-Encoding": "gzip" } },
  ])("converted from JSON to protobuf: $name", async ({ body, headers }) => {
    const { send, receiver } = runOtlpHttp();

    const response = await send(new Uint8Array(body), { headers: { ...JSON_TYPE, ...headers } });

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe("{}");
    expect(receiver.requests).toEqual([JSON_REQUEST_BYTES]);
  });

  test("if it is sent in chunks without a length", async () => {
    const { request, receiver } = runOtlpHttp();
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(REQUEST.slice(0, 10));
        controller.enqueue(REQUEST.slice(10));
        controller.close();
      },
    });

    const headers = { "Content-Type": "application/x-protobuf" };
    const response = await request("/v1/traces", { method: "POST", body, headers });

    expect(response.status).toBe(200);
    expect(receiver.requests).toEqual([Buffer.from(REQUEST)]);
  });

  test("if it is empty, which is a request without spans", async () => {
    const { request, send, receiver } = runOtlpHttp();

    const declared = await send("");
    const headers = { "Content-Type": "application/x-protobuf" };
    const undeclared = await request("/v1/traces", { method: "POST", headers });

    expect([declared.status, undeclared.status]).toEqual([200, 200]);
    expect(receiver.requests).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
  });

  test("if the path has a query, which is ignored", async () => {
    const { send } = runOtlpHttp();

    expect((await send(REQUEST, { path: "/v1/traces?a=/b" })).status).toBe(200);
  });
});

describe("a refused request", () => {
  test.each([
    { path: "/", method: "POST", status: 404 },
    { path: "/v1/traces/", method: "POST", status: 404 },
    { path: "/V1/traces", method: "POST", status: 404 },
    { path: "/x/v1/traces", method: "PUT", status: 404 },
    { path: "/v1/traces", method: "PUT", status: 405 },
    { path: "/v1/traces", method: "DELETE", status: 405 },
  ])("$method $path is answered with $status", async ({ path, method, status }) => {
    const { send, receiver } = runOtlpHttp();

    const response = await send(REQUEST, { path, method });

    expect(response.status).toBe(status);
    expect(google.rpc.Status.decode(await response.bytes()).code).toBe(12);
    expect(receiver.requests).toEqual([]);
  });

  test("with a wrong method is answered with the permitted one", async () => {
    const { request } = runOtlpHttp();

    const response = await request("/v1/traces");

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect(await response.json()).toEqual({ code: 12, message: "this path supports only POST" });
  });

  test.each(["text/plain", "application/grpc-web", ""])(
    "of the type %p is answered with the supported ones in JSON",
    async (type) => {
      const { send, receiver } = runOtlpHttp();

      const response = await send(REQUEST, { headers: { "Content-Type": type } });

      expect(response.status).toBe(415);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("accept-post")).toBe("application/x-protobuf, application/json");
      expect(await response.json()).toEqual({
        code: 3,
        message: "Content-Type must be application/x-protobuf or application/json",
      });
      expect(receiver.requests).toEqual([]);
    },
  );

  test.each(["br", "compress", "gzip, gzip"])(
    "with the encoding %p is answered with the supported ones",
    async (coding) => {
      const { send, receiver } = runOtlpHttp();

      const response = await send(REQUEST, { headers: { "Content-Encoding": coding } });

      const status = google.rpc.Status.decode(await response.bytes());
      expect(response.status).toBe(415);
      expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, zstd, identity");
      expect(status.message).toBe("Content-Encoding must be one of gzip, deflate, zstd, identity");
      expect(receiver.requests).toEqual([]);
    },
  );

  test("with invalid JSON is answered with the position in JSON", async () => {
    const { send, receiver } = runOtlpHttp();

    const response = await send('{"resourceSpans":[}', { headers: JSON_TYPE });

    const { code, message } = (await response.json()) as { code: number; message: string };
    expect(response.status).toBe(400);
    expect(code).toBe(3);
    expect(message).toStartWith("not OTLP/JSON: at byte 18");
    expect(receiver.requests).toEqual([]);
  });

  test("with JSON nested too deeply is malformed", async () => {
    const { send } = runOtlpHttp({ limits: { nestingDepth: 3 } });

    const response = await send(JSON_REQUEST, { headers: JSON_TYPE });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain("nested too deeply");
  });
});

describe("the answer of the receiver is sent", () => {
  test("as a partial success", async () => {
    const { send, receiver } = runOtlpHttp();
    receiver.answer = () => ({ outcome: "partly_rejected", rejectedSpans: 2, message: "why" });

    const response = await send(REQUEST);

    const { partialSuccess } = ExportTraceServiceResponse.decode(await response.bytes());
    expect(response.status).toBe(200);
    expect(partialSuccess?.errorMessage).toBe("why");
  });

  test("as a refusal with a delay", async () => {
    const { send, receiver } = runOtlpHttp();
    receiver.answer = () => ({ outcome: "refused", message: "full", retryAfterMs: 1000 });

    const response = await send(JSON_REQUEST, { headers: JSON_TYPE });

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: 14, message: "full" });
  });

  test("as 503 after an internal error, which is logged without the request", async () => {
    const { send, receiver, logger, listener } = runOtlpHttp();
    receiver.answer = () => {
      throw new Error("the lock is gone");
    };

    const response = await send("payload-of-the-peer");
    await listener.stop(0);

    const status = google.rpc.Status.decode(await response.bytes());
    expect(response.status).toBe(503);
    expect(status.message).not.toContain("lock");
    expect(logger.lines.map(({ event }) => event)).toEqual(["receive_failed"]);
    expect(logger.lines[0]?.fields["error"]).toContain("the lock is gone");
    expect(JSON.stringify(logger.lines)).not.toContain("payload");
  });
});

describe("the memory", () => {
  const large = new Uint8Array(100_000);

  test.each([
    { name: "a body", body: large, headers: {} },
    {
      name: "a decompressed body",
      body: gzipSync(large),
      headers: { "Content-Encoding": "gzip" },
    },
    {
      name: "a body converted from JSON",
      body: Buffer.from(JSON_REQUEST.replace("GET /", "x".repeat(50_000))),
      headers: JSON_TYPE,
    },
  ])("of $name is released after receiving", async ({ body, headers }) => {
    const { send, receiver, budget } = runOtlpHttp();

    const response = await send(new Uint8Array(body), { headers });

    expect(response.status).toBe(200);
    expect(receiver.requests[0]?.length).toBeGreaterThan(4096);
    expect(receiver.lengthsLater()).toEqual([0]);
    expect(budget.heldBytes).toBe(0);
  });
});

const LONG = Buffer.alloc(1_000, "x");

describe("traces in a request that cannot be read", () => {
  test.each([
    { name: "invalid gzip", coding: "gzip", body: Buffer.from("no"), counted: "malformed" },
    { name: "a body over the limit", coding: "identity", body: LONG, counted: "too_large" },
    { name: "gzip beyond the limit", coding: "gzip", body: gzipSync(LONG), counted: "too_large" },
  ])("are counted for $name as $counted", async ({ coding, body, counted }) => {
    const { send, receiver } = runOtlpHttp({ maxBodyBytes: LONG.length - 1 });

    await send(new Uint8Array(body), { headers: { "Content-Encoding": coding } });

    expect(receiver.turnedAwayAs).toEqual([counted]);
  });

  test("are not counted if the receiver stops waiting for them", async () => {
    const { listener, request, receiver } = runOtlpHttp();
    using sender = await sendHalfBody(listener.port, { declaredBytes: 1000, sentBytes: 10 });
    while (listener.counts().requestsInFlight === 0) await request("/");

    await listener.stop(3_600_000);

    expect(await sender.answer).toStartWith("HTTP/1.1 503");
    expect(receiver.turnedAwayAs).toEqual([]);
  });
});
