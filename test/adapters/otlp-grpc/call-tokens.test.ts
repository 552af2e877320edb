import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { status } from "@grpc/grpc-js";
import { FREE_FAILURES } from "../../../src/adapters/listening/token-gate.ts";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";
import { openedGate, tokenList } from "../../support/fakes/opened-gate.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import {
  beginCall,
  callHttp2,
  endOf,
  openHttp2,
  pong,
} from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { sessionsOfEachTest } from "../../support/grpc/http2-sessions.ts";

stopGrpcListenersAfterEach();
const sessions = sessionsOfEachTest();

const REQUEST = Buffer.from("not decoded here");

async function runGuarded(...lines: string[]) {
  const opened = openedGate(...lines);
  const running = await runGrpcListener({ gate: opened.gate });
  const session = openHttp2(running.listener.port);
  sessions.push(session);
  const exportWith = (metadata: Record<string, string>) =>
    callUnary(running.client(), EXPORT_PATH, REQUEST, { metadata });
  return { ...running, ...opened, session, exportWith };
}

test.each([
  { metadata: { authorization: "Bearer one" } },
  { metadata: { authorization: "bearer one" } },
  { metadata: { "x-api-key": "one" } },
])("a call with $metadata is received", async ({ metadata }) => {
  const { exportWith, receiver } = await runGuarded("zero", "one");

  expect((await exportWith(metadata)).code).toBe(status.OK);
  expect(receiver.requests.length).toBe(1);
});

test.each([
  { metadata: {}, details: "a token is required" },
  { metadata: { authorization: "Basic one" }, details: "a token is required" },
  { metadata: { authorization: "Bearer two" }, details: "the token is not accepted" },
  { metadata: { "x-api-key": "two" }, details: "the token is not accepted" },
])("a call with $metadata gets UNAUTHENTICATED", async ({ metadata, details }) => {
  const { exportWith, receiver, problems } = await runGuarded("one");
  const end = await exportWith(metadata);
  const [encoded] = end.trailers.get("grpc-status-details-bin");

  expect({ code: end.code, details: end.details }).toEqual({
    code: status.UNAUTHENTICATED,
    details: expect.stringContaining(details),
  });
  expect(google.rpc.Status.decode(encoded as Buffer)).toMatchObject({
    code: status.UNAUTHENTICATED,
    message: end.details,
  });
  expect(receiver.requests).toEqual([]);
  expect(problems).toMatchObject([
    { protocol: "grpc", reason: "unauthenticated", address: "127.0.0.1" },
  ]);
});

test("a client that sends a large message learns why it is refused", async () => {
  const { client } = await runGuarded("one");
  const large = Buffer.alloc(3 * 1024 * 1024);

  const ends = await Promise.all(
    Array.from({ length: 5 }, () => callUnary(client(), EXPORT_PATH, large)),
  );

  expect(ends.map(({ code }) => code)).toEqual(Array(5).fill(status.UNAUTHENTICATED));
});

test("the calls of one connection are checked one by one", async () => {
  const { client, gate } = await runGuarded("one");
  const one = client();
  const codeWith = async (token: string) =>
    (await callUnary(one, EXPORT_PATH, REQUEST, { metadata: { "x-api-key": token } })).code;

  const before = [await codeWith("one"), await codeWith("two"), await codeWith("one")];
  gate.use(tokenList("two"));
  const after = [await codeWith("one"), await codeWith("two")];

  const { OK, UNAUTHENTICATED } = status;
  expect({ before, after }).toEqual({
    before: [OK, UNAUTHENTICATED, OK],
    after: [UNAUTHENTICATED, OK],
  });
});

test.each([
  { path: "/grpc.health.v1.Health/Check", isOpen: true },
  { path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", isOpen: false },
  { path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export", isOpen: false },
  { path: "/no.such/Method", isOpen: false },
  { path: "/grpc.health.v1.HealthX/Check", isOpen: false },
])("$path needs no token: $isOpen", async ({ path, isOpen }) => {
  const { client } = await runGuarded("one");
  const { code } = await callUnary(client(), path, Buffer.alloc(0));

  expect(code === status.UNAUTHENTICATED).toBe(!isOpen);
});

describe("a call without a token", () => {
  test("is answered before its message has arrived", async () => {
    const { session, receiver } = await runGuarded("one");
    const stream = beginCall(session, { pieces: [messagePrefix(50_000)] });

    expect(await endOf(stream)).toMatchObject({
      httpStatus: 200,
      grpcStatus: status.UNAUTHENTICATED,
    });
    expect(receiver.requests).toEqual([]);
  });

  test("makes the peer send no more of the message", async () => {
    const { session } = await runGuarded("one");
    const stream = beginCall(session, { pieces: [messagePrefix(50_000)] });
    const { promise, resolve } = Promise.withResolvers<number>();
    stream.once("close", () => resolve(stream.rstCode));
    stream.resume();

    expect(await promise).toBe(0);
  });

  test("holds no byte of its message, even while the answer is delayed", async () => {
    const { session, listener, clock, problems } = await runGuarded("one");
    for (let failure = 0; failure < FREE_FAILURES; failure += 1) await callHttp2(session);
    const before = listener.counts().heldBytes;
    const stream = beginCall(session, { pieces: [grpcMessage(Buffer.alloc(500_000))] });
    const end = endOf(stream);
    while (problems.length <= FREE_FAILURES) await pong(session);
    await pong(session);
    const held = listener.counts().heldBytes - before;
    clock.moveMs(1_000);

    expect(held).toBeLessThan(10_000);
    expect((await end).grpcStatus).toBe(status.UNAUTHENTICATED);
    await pong(session);
    expect(listener.counts().heldBytes).toBe(0);
  });

  test("has its message discarded while the answer is delayed", async () => {
    const { session, clock } = await runGuarded("one");
    for (let failure = 0; failure < FREE_FAILURES; failure += 1) await callHttp2(session);
    const stream = beginCall(session);
    const end = endOf(stream);
    // Larger than the windows of the connection and its streams: unread, it would stay here.
    stream.end(grpcMessage(Buffer.alloc(8_000_000)));
    await once(stream, "finish");
    await pong(session);
    clock.moveMs(1_000);

    expect((await end).grpcStatus).toBe(status.UNAUTHENTICATED);
  });

  test("is answered late after several others, and a valid one is not", async () => {
    const { session, clock } = await runGuarded("one");
    for (let failure = 0; failure < FREE_FAILURES; failure += 1) await callHttp2(session);
    let isAnswered = false;
    const late = callHttp2(session).finally(() => (isAnswered = true));
    const headers = { "x-api-key": "one" };
    const valid = await callHttp2(session, { headers, pieces: [grpcMessage(REQUEST)] });
    const wasAnswered = isAnswered;
    clock.moveMs(1_000);

    expect({ wasAnswered, valid: valid.grpcStatus }).toEqual({ wasAnswered: false, valid: 0 });
    expect((await late).grpcStatus).toBe(status.UNAUTHENTICATED);
  });

  test("that its peer cancels before the answer does no harm", async () => {
    const { session, clock, exportWith, listener } = await runGuarded("one");
    for (let failure = 0; failure < FREE_FAILURES; failure += 1) await callHttp2(session);
    const stream = beginCall(session);
    await pong(session);
    stream.close(8);
    await pong(session);
    clock.moveMs(1_000);

    expect((await exportWith({ "x-api-key": "one" })).code).toBe(status.OK);
    await pong(session);
    expect(listener.counts().heldBytes).toBe(0);
  });
});
