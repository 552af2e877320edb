import { describe, expect, test } from "bun:test";
import { connect } from "node:http2";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";
import { goldenRequest } from "../../support/requests/golden-requests.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { type HalfSentBody, sendHalfBody } from "../../support/running/half-sent-body.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const MIB = 1024 * 1024;
const REQUEST = goldenRequest("two-resources");
const TYPE = { "Content-Type": "application/x-protobuf" };

async function statusIn(response: Response) {
  const { code, message } = google.rpc.Status.decode(await response.bytes());
  return { http: response.status, code, message };
}

describe("a body over the limit is answered with 413", () => {
  const MAX = 100_000;

  test.each([
    { name: "declared by its length", headers: {}, body: new Uint8Array(MAX + 1) },
    {
      name: "a gzip bomb",
      headers: { "Content-Encoding": "gzip" },
      body: gzipSync(new Uint8Array(64 * MIB)),
    },
    {
      name: "a zstd bomb",
      headers: { "Content-Encoding": "zstd" },
      body: zstdCompressSync(new Uint8Array(64 * MIB)),
    },
    {
      name: "a deflate bomb",
      headers: { "Content-Encoding": "deflate" },
      body: deflateSync(new Uint8Array(64 * MIB)),
    },
    {
      name: "gzip of a byte more than the limit",
      headers: { "Content-Encoding": "gzip" },
      body: gzipSync(new Uint8Array(MAX + 1)),
    },
  ])("$name", async ({ headers, body }) => {
    const { send, receiver } = runOtlpHttp({ maxBodyBytes: MAX });

    const answer = await statusIn(await send(new Uint8Array(body), { headers }));

    expect(answer).toMatchObject({ http: 413, code: 8 });
    expect(answer.message).toContain(`longer than ${MAX} bytes`);
    expect(receiver.requests).toEqual([]);
  });

  test.each([
    { name: "plain", headers: {}, body: new Uint8Array(MAX) },
    {
      name: "when decompressed",
      headers: { "Content-Encoding": "zstd" },
      body: zstdCompressSync(new Uint8Array(MAX)),
    },
  ])("unless its length equals the limit: $name", async ({ headers, body }) => {
    const { send, receiver } = runOtlpHttp({ maxBodyBytes: MAX });

    const response = await send(new Uint8Array(body), { headers });

    expect(response.status).toBe(200);
    expect(receiver.requests.map(({ length }) => length)).toEqual([MAX]);
  });

  test("in chunks without a length, before it is complete", async () => {
    const clock = new HandMovedSleep();
    const { listener, receiver, budget } = runOtlpHttp({ maxBodyBytes: MAX, clock });
    using sender = await sendHalfBody(listener.port, { sentBytes: MAX + 1 });

    const answer = await sender.answer;

    expect(answer).toStartWith("HTTP/1.1 413");
    expect(receiver.requests).toEqual([]);
    expect(budget.heldBytes).toBe(0);
  });

  test("if its length is impossible, before anything is sent", async () => {
    const { listener, budget } = runOtlpHttp();
    using sender = await sendHalfBody(listener.port, { declaredBytes: 10 ** 12, sentBytes: 0 });

    expect(await sender.answer).toStartWith("HTTP/1.1 413");
    expect(budget.heldBytes).toBe(0);
  });

  test("if it exceeds the budget for requests in flight", async () => {
    const { send } = runOtlpHttp({ limits: { inFlightBytes: 50_000 } });

    expect((await send(new Uint8Array(50_001))).status).toBe(413);
  });
});

describe("a body that does not match its headers is answered with 400", () => {
  const gzip = gzipSync(REQUEST);
  const zstd = zstdCompressSync(REQUEST);

  test.each([
    { name: "truncated gzip", coding: "gzip", body: gzip.subarray(0, -4) },
    { name: "half of gzip data", coding: "gzip", body: gzip.subarray(0, gzip.length / 2) },
    { name: "truncated zstd", coding: "zstd", body: zstd.subarray(0, -1) },
    { name: "half of zstd data", coding: "zstd", body: zstd.subarray(0, zstd.length / 2) },
    { name: "truncated deflate", coding: "deflate", body: deflateSync(REQUEST).subarray(0, -1) },
    // Raw deflate has no checksum, so that many other bodies would be read as empty requests.
    { name: "deflate without a zlib header", coding: "deflate", body: deflateRawSync(REQUEST) },
    { name: "plain data declared as gzip", coding: "gzip", body: REQUEST },
    { name: "zstd declared as gzip", coding: "gzip", body: zstd },
    { name: "no bytes declared as zstd", coding: "zstd", body: new Uint8Array(0) },
  ])("$name", async ({ coding, body }) => {
    const { send, receiver } = runOtlpHttp();

    const response = await send(new Uint8Array(body), { headers: { "Content-Encoding": coding } });

    expect(await statusIn(response)).toEqual({
      http: 400,
      code: 3,
      message: `the message is not valid ${coding} data`,
    });
    expect(receiver.requests).toEqual([]);
  });

  test("a refused body is released", async () => {
    const { send, budget, listener } = runOtlpHttp({ maxBodyBytes: 1000 });
    const headers = { "Content-Encoding": "gzip" };

    await send(new Uint8Array(gzip), { headers });
    await send(new Uint8Array(1001));

    expect(budget.heldBytes).toBe(0);
    expect(listener.counts().requestsInFlight).toBe(0);
  });
});

/** Starts senders that declare `declaredBytes` and send 60,000 bytes each. */
async function halfSenders(port: number, count: number, declaredBytes: number) {
  const senders: HalfSentBody[] = [];
  for (let sender = 0; sender < count; sender += 1) {
    senders.push(await sendHalfBody(port, { declaredBytes, sentBytes: 60_000 }));
  }
  return senders;
}

/** Resolves when the server has read everything that was sent before. */
async function settle({ request }: { request: (path: string) => Promise<Response> }) {
  await request("/");
}

describe("incomplete bodies", () => {
  test("never hold more than the budget, whatever length they declare", async () => {
    const running = runOtlpHttp({ limits: { inFlightBytes: 8 * MIB } });
    const { listener, budget, logger, problems } = running;

    const senders = await halfSenders(listener.port, 20, 2 * MIB);
    await settle(running);
    const held = budget.heldBytes;
    const { requestsInFlight } = listener.counts();
    const abandoned = countsOf(problems).in_flight_bytes ?? 0;
    const refused = await Promise.race(senders.map(({ answer }) => answer));
    for (const sender of senders) sender[Symbol.dispose]();

    expect(held).toBeLessThanOrEqual(8 * MIB + 128 * 1024);
    expect(held).toBeGreaterThan(5 * MIB);
    expect(requestsInFlight + abandoned).toBe(20);
    expect(refused).toStartWith("HTTP/1.1 503");
    expect(refused).toContain("Retry-After: 1");
    expect(logger.lines[0]).toMatchObject({
      level: "warning",
      fields: { protocol: "http", reason: "in_flight_bytes", count: 1, address: "127.0.0.1" },
    });
  });

  test("do not keep an honest sender out", async () => {
    const running = runOtlpHttp({ limits: { inFlightBytes: 8 * MIB } });
    const { listener, send, receiver } = running;
    const senders = await halfSenders(listener.port, 20, 2 * MIB);

    const statuses: number[] = [];
    for (let request = 0; request < 5; request += 1) {
      statuses.push((await send(new Uint8Array(3 * MIB))).status);
    }
    for (const sender of senders) sender[Symbol.dispose]();

    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect(receiver.requests).toHaveLength(5);
  });

  test("are released when their sender disconnects", async () => {
    const running = runOtlpHttp();
    const [sender] = await halfSenders(running.listener.port, 1, MIB);
    await settle(running);
    const held = running.budget.heldBytes;

    sender![Symbol.dispose]();
    await sender!.closed;
    while (running.budget.heldBytes > 0) await settle(running);

    expect(held).toBeGreaterThan(MIB);
    expect(running.listener.counts().requestsInFlight).toBe(0);
  });

  test("are recorded with the address of their sender when it disconnects", async () => {
    const running = runOtlpHttp();
    const [sender] = await halfSenders(running.listener.port, 1, MIB);
    while (running.listener.counts().requestsInFlight === 0) await settle(running);

    sender![Symbol.dispose]();
    while (running.listener.counts().requestsInFlight > 0) await settle(running);
    running.problems.close();

    const recorded = running.logger.lines.map(({ fields }) => fields);
    expect(recorded).toContainEqual(
      expect.objectContaining({ reason: "incomplete", count: 1, address: "127.0.0.1" }),
    );
  });

  test("in chunks are charged as they arrive", async () => {
    const clock = new HandMovedSleep();
    const running = runOtlpHttp({ limits: { inFlightBytes: MIB }, clock });
    using sender = await sendHalfBody(running.listener.port, { sentBytes: 500_000 });
    while (running.budget.heldBytes < 500_000) await settle(running);

    sender.send(Buffer.from(`${(900_000).toString(16)}\r\n`));
    sender.send(Buffer.alloc(900_000));

    // The body exceeds its own limit and the budget; either may be detected first.
    expect(await sender.answer).toMatch(/^HTTP\/1.1 (413|503)/);
    expect(running.budget.heldBytes).toBe(0);
  });

  test("use up only the limit of their address", async () => {
    const running = runOtlpHttp({ limits: { connectionsPerAddress: 3 } });
    const senders = await halfSenders(running.listener.port, 3, 100_000);
    // This request is refused itself while they use all permits.
    while (running.listener.counts().requestsInFlight < 3) await settle(running);

    const response = await running.send(REQUEST);
    const answer = await statusIn(response);
    for (const sender of senders) sender[Symbol.dispose]();

    expect(answer).toMatchObject({ http: 503, code: 14 });
    expect(response.headers.get("retry-after")).toBe("1");
    expect(countsOf(running.problems).too_many_requests_per_address).toBe(1);
  });
});

test("HTTP/2 streams that together exceed the budget are answered with 503", async () => {
  const { listener, budget } = runOtlpHttp({ limits: { inFlightBytes: 4 * MIB } });
  const session = connect(`http://127.0.0.1:${listener.port}`);
  const statuses = Array.from({ length: 5 }, async () => {
    const head = { ":method": "POST", ":path": "/v1/traces", "content-length": MIB };
    const stream = session.request({ ...head, ...TYPE });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(1000));
    return await new Promise((resolve) =>
      stream.once("response", (headers) => resolve(headers[":status"])),
    );
  });

  const status = await Promise.race(statuses);
  const held = budget.heldBytes;
  session.destroy();

  expect(status).toBe(503);
  expect(held).toBeLessThanOrEqual(4 * MIB + 128 * 1024);
});
