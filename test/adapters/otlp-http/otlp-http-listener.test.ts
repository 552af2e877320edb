import { describe, expect, spyOn, test } from "bun:test";
import { connect } from "node:http2";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { goldenRequest } from "../../support/requests/golden-requests.ts";
import { sendHalfBody } from "../../support/running/half-sent-body.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";
import { watchTimers } from "../../support/fakes/watched-timers.ts";

stopOtlpHttpAfterEach();

const REQUEST = goldenRequest("plain-server-span");

describe("a start", () => {
  test("on port 0 selects a free port and reports it", () => {
    expect(runOtlpHttp().listener.port).toBeGreaterThan(0);
  });

  test("on a port in use fails with EADDRINUSE", () => {
    const { port } = runOtlpHttp().listener;

    expect(() => runOtlpHttp({ address: { host: "127.0.0.1", port } })).toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    );
  });
});

test.each([
  { idleMs: 1, seconds: 1 },
  { idleMs: 1_001, seconds: 2 },
  { idleMs: 90_000, seconds: 90 },
  { idleMs: 3_600_000, seconds: 255 },
])("an idle timeout of $idleMs ms is passed to Bun as $seconds s", ({ idleMs, seconds }) => {
  const serve = spyOn(Bun, "serve");

  runOtlpHttp({ limits: { idleMs } });
  const [options] = serve.mock.calls[0]!;
  serve.mockRestore();

  expect(options).toMatchObject({ idleTimeout: seconds });
});

test("one port serves HTTP/1.1 and HTTP/2", async () => {
  const { listener, send, receiver } = runOtlpHttp();
  const session = connect(`http://127.0.0.1:${listener.port}`);
  const head = { ":method": "POST", ":path": "/v1/traces" };
  const stream = session.request({ ...head, "content-type": "application/x-protobuf" });
  const answered = new Promise((resolve) =>
    stream.once("response", (headers) => resolve(headers[":status"])),
  );

  stream.end(REQUEST);
  const overHttp2 = await answered;
  const overHttp1 = await send(REQUEST);
  session.destroy();

  expect([overHttp2, overHttp1.status]).toEqual([200, 200]);
  expect(receiver.requests).toEqual([Buffer.from(REQUEST), Buffer.from(REQUEST)]);
});

const REQUEST_MS = 60_000;

test("a request that is incomplete after its time limit is answered with 503", async () => {
  const monotonicMs = () => performance.now() + clock.aheadMs;
  const clock = { ...SYSTEM_CLOCK, aheadMs: 0, monotonicMs };
  const { listener, request, problems } = runOtlpHttp({ clock, limits: { requestMs: REQUEST_MS } });
  using sender = await sendHalfBody(listener.port, { declaredBytes: 1000, sentBytes: 10 });
  while (listener.counts().requestsInFlight === 0) await request("/");

  clock.aheadMs = REQUEST_MS;

  expect(await sender.answer).toStartWith("HTTP/1.1 503");
  expect(countsOf(problems).request_timeout).toBe(1);
});

/** Runs a listener whose clock can be set ahead. */
function runAhead() {
  const monotonicMs = () => performance.now() + clock.aheadMs;
  const clock = { ...SYSTEM_CLOCK, aheadMs: 0, monotonicMs };
  return { clock, ...runOtlpHttp({ clock }) };
}

test.each([
  { name: "in chunks", half: { sentBytes: 10 } },
  { name: "with a length", half: { declaredBytes: 1000, sentBytes: 10 } },
])("a body that arrives too slowly ends its connection after a 503: $name", async ({ half }) => {
  const { clock, listener, request, problems, budget } = runAhead();
  using sender = await sendHalfBody(listener.port, half);
  while (listener.counts().requestsInFlight === 0) await request("/");

  clock.aheadMs = 2_000;

  expect(await sender.answer).toStartWith("HTTP/1.1 503");
  await sender.closed;
  expect(countsOf(problems).request_timeout).toBe(1);
  expect(budget.heldBytes).toBe(0);
});

test("a body that may have arrived fast enough is awaited, while a slow one is not", async () => {
  const { clock, listener, request, receiver } = runAhead();
  const [sentBytes, declaredBytes] = [10_000, 10_001];
  using fast = await sendHalfBody(listener.port, { declaredBytes, sentBytes });
  using slow = await sendHalfBody(listener.port, { sentBytes: 10 });
  while (listener.counts().requestsInFlight < 2) await request("/");

  clock.aheadMs = 2_000;
  const refused = await slow.answer;
  fast.send(Uint8Array.of(0));

  expect(refused).toStartWith("HTTP/1.1 503");
  expect(await fast.answer).toStartWith("HTTP/1.1 200");
  expect(receiver.requests.map(({ length }) => length)).toEqual([declaredBytes]);
});

test("a stream that arrives too slowly ends, and its connection of HTTP/2 goes on", async () => {
  const { clock, listener, request } = runAhead();
  const session = connect(`http://127.0.0.1:${listener.port}`);
  const head = { ":method": "POST", ":path": "/v1/traces" };
  const post = () => session.request({ ...head, "content-type": "application/x-protobuf" });
  const statusOf = (stream: ReturnType<typeof post>) =>
    new Promise((resolve) => stream.once("response", (headers) => resolve(headers[":status"])));
  const slow = post();
  const slowStatus = statusOf(slow);
  slow.write(Uint8Array.of(1));
  while (listener.counts().requestsInFlight === 0) await request("/");

  clock.aheadMs = 2_000;
  const refused = await slowStatus;
  const next = post();
  const status = statusOf(next);
  next.end(REQUEST);

  expect([refused, await status]).toEqual([503, 200]);
  session.destroy();
});

test("a pause aborts incomplete requests and refuses connections until it ends", async () => {
  const { listener, send, budget } = runOtlpHttp();
  using sender = await sendHalfBody(listener.port, { declaredBytes: 1000, sentBytes: 10 });
  while (listener.counts().requestsInFlight === 0) await send(REQUEST);

  listener.pause();
  const refused: unknown = await send(REQUEST).catch((error: unknown) => error);
  await sender.closed;
  await listener.resume();
  const { status } = await send(REQUEST);

  expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  expect(status).toBe(200);
  expect(budget.heldBytes).toBe(0);
});

test("relieve() closes only idle connections", async () => {
  const { listener, send, receiver } = runOtlpHttp();
  using idle = await sendHalfBody(listener.port, { declaredBytes: 10, sentBytes: 10 });
  await idle.answer;
  using sender = await sendHalfBody(listener.port, { declaredBytes: 1000, sentBytes: 10 });
  while (listener.counts().requestsInFlight === 0) await send(REQUEST);
  const before = receiver.requests.length;

  listener.relieve();
  await idle.closed;
  sender.send(Buffer.alloc(990));

  expect(await sender.answer).toStartWith("HTTP/1.1 200");
  expect(receiver.requests).toHaveLength(before + 1);
});

test("a body of many HTTP/2 frames is received whole", async () => {
  const { listener, receiver } = runOtlpHttp();
  const session = connect(`http://127.0.0.1:${listener.port}`);
  const head = { ":method": "POST", ":path": "/v1/traces" };
  const stream = session.request({ ...head, "content-type": "application/x-protobuf" });
  const answered = new Promise((resolve) =>
    stream.once("response", (headers) => resolve(headers[":status"])),
  );

  stream.end(Buffer.alloc(3_000_000, 7));
  const status = await answered;
  session.destroy();

  expect(status).toBe(200);
  expect(receiver.requests.map((request) => Bun.hash(request))).toEqual([
    Bun.hash(Buffer.alloc(3_000_000, 7)),
  ]);
});

describe("a stop", () => {
  test.each([
    { name: "with a length", half: { declaredBytes: 1000, sentBytes: 10 } },
    { name: "in chunks", half: { sentBytes: 10 } },
  ])("answers a request in flight with a retryable status: $name", async ({ half }) => {
    const { listener, budget, request } = runOtlpHttp();
    using sender = await sendHalfBody(listener.port, half);
    while (listener.counts().requestsInFlight === 0) await request("/");

    await listener.stop(20_000);

    expect(await sender.answer).toStartWith("HTTP/1.1 503");
    expect(budget.heldBytes).toBe(0);
  });

  test("closes idle connections of both protocols", async () => {
    const { listener, send } = runOtlpHttp();
    await send(REQUEST);
    const session = connect(`http://127.0.0.1:${listener.port}`);
    await new Promise((resolve) => session.once("connect", resolve));
    const closed = new Promise((resolve) => session.once("close", resolve));

    await listener.stop(20_000);
    await closed;

    expect(session.destroyed).toBe(true);
  });

  test("aborts an answer that is not read after the grace period", async () => {
    const { listener } = runOtlpHttp();
    const session = connect(`http://127.0.0.1:${listener.port}`, {
      settings: { initialWindowSize: 0 },
    });
    const closed = new Promise((resolve) => session.once("close", resolve));
    const stream = session.request({ ":path": "/" });
    await new Promise((resolve) => stream.once("response", resolve));

    await listener.stop(1);
    await closed;

    expect(session.destroyed).toBe(true);
  });

  test("cancels the timer", async () => {
    using timers = watchTimers("Interval");
    const { listener } = runOtlpHttp();
    const during = timers.count(1_000);

    await listener.stop(0);

    expect([during, timers.count(1_000)]).toEqual([
      { started: 1, left: 1 },
      { started: 1, left: 0 },
    ]);
  });

  test("refuses new connections", async () => {
    const { listener, send } = runOtlpHttp();

    await listener.stop(0);

    expect(send(REQUEST)).rejects.toThrow();
  });
});

test("an unexpected error is answered with 503, so that the sender retries", async () => {
  const unsupported = new UnsupportedSignals();
  unsupported.receive = () => {
    throw new Error("an unexpected error");
  };
  const { request, logger } = runOtlpHttp({ unsupported });

  const headers = { "Content-Type": "application/json" };
  const answer = await request("/v1/logs", { method: "POST", headers, body: "{}" });

  expect(answer.status).toBe(503);
  expect(logger.lines).toMatchObject([{ level: "error", event: "receive_failed" }]);
});
