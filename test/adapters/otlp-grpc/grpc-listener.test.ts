import { openDialogue, openServerStream } from "../../support/grpc/grpc-conversation.ts";
import { describe, expect, test, afterAll, beforeEach } from "bun:test";
import {
  status,
  experimental,
  logVerbosity,
  Metadata,
  setLogger,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { beginCall, endOf, openHttp2, pong } from "../../support/grpc/grpc-http2-call.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
  GRPC_TEST_LIMITS,
} from "../../support/running/running-grpc-listener.ts";
import { serverOptions, logLibraryThrough } from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

stopGrpcListenersAfterEach();

const REQUEST = Buffer.from("not decoded here");

describe("a start", () => {
  test("on port 0 selects a free port and reports it", async () => {
    const [one, other] = [await runGrpcListener(), await runGrpcListener()];

    expect(one.listener.port).toBeGreaterThan(0);
    expect(one.listener.port).not.toBe(other.listener.port);
  });

  test("on a port in use fails with EADDRINUSE", async () => {
    const { listener } = await runGrpcListener();

    const second = runGrpcListener({ address: { host: "127.0.0.1", port: listener.port } });

    expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("on the address of another machine fails", async () => {
    const elsewhere = runGrpcListener({ address: { host: "192.0.2.1", port: 0 } });

    expect(elsewhere).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  test("of two listeners in a process keeps their calls apart", async () => {
    const [one, other] = [await runGrpcListener(), await runGrpcListener()];
    const session = openHttp2(one.listener.port);

    const stream = beginCall(session, { pieces: [messagePrefix(1000), REQUEST] });
    await pong(session);
    const held = [one.listener.counts().heldBytes, other.listener.counts().heldBytes];
    stream.destroy();
    session.destroy();

    expect(held[0]).toBeGreaterThan(0);
    expect(held[1]).toBe(0);
  });
});

const REFLECTION_PATH = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
/** A ServerReflectionRequest with an empty `list_services`. */
const LIST_SERVICES = Buffer.of(0x3a, 0);

describe("a stop", () => {
  test("lets a call in progress finish", async () => {
    const { listener, receiver } = await runGrpcListener();
    const session = openHttp2(listener.port);
    const stream = beginCall(session, { pieces: [messagePrefix(REQUEST.length)] });
    await pong(session);

    const stopped = listener.stop(3_600_000);
    stream.end(REQUEST);
    const end = await endOf(stream);
    session.destroy();
    await stopped;

    expect(end.grpcStatus).toBe(status.OK);
    expect(receiver.requests).toEqual([REQUEST]);
  });

  test("ends health watches and reflection streams", async () => {
    const { client, listener } = await runGrpcListener();
    const watcher = openServerStream(
      client(),
      "/grpc.health.v1.Health/Watch",
      Buffer.from("\n\x03x.Y"),
    );
    const reflection = openDialogue(client(), REFLECTION_PATH);
    reflection.call.write(LIST_SERVICES);
    await Promise.all([watcher.next(), reflection.next()]);

    await listener.stop(3_600_000);

    const ends = await Promise.all([watcher.ended, reflection.ended]);
    expect(ends.map(({ code }) => code)).toEqual([status.UNAVAILABLE, status.UNAVAILABLE]);
  });

  test("does not wait for an idle client", async () => {
    const { client, listener } = await runGrpcListener();
    await callUnary(client(), EXPORT_PATH, REQUEST);

    await listener.stop(3_600_000);

    expect(listener.counts().openConnections).toBe(0);
  });

  test.each([
    { name: "have sent nothing", sent: "" },
    { name: "have sent a part of the preface of HTTP/2", sent: "PRI * HTTP" },
  ])("does not wait for connections that $name", async ({ sent }) => {
    const { peer, listener } = await runGrpcListener({ clock: new HandMovedClock() });
    const silent = peer();
    silent.send(Buffer.from(sent));
    while (listener.counts().openConnections === 0) await nextTurn();

    await listener.stop(3_600_000);
    await silent.ended;

    expect(listener.counts().openConnections).toBe(0);
  });

  test("aborts unfinished calls after the grace period", async () => {
    const { peer, listener } = await runGrpcListener();
    const stuck = peer().greet();
    const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
    stuck.send(frame(head, callHeaders(EXPORT_PATH)));
    stuck.send(frame({ type: FRAME.data, streamId: 1 }, messagePrefix(1000)));
    stuck.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await stuck.frame(({ type }) => type === FRAME.ping);

    await listener.stop(20);
    await stuck.ended;

    expect(listener.counts()).toMatchObject({ openConnections: 0, heldBytes: 0 });
  });

  test("refuses new connections", async () => {
    const { client, listener } = await runGrpcListener();

    await listener.stop(0);
    const end = await callUnary(client(), EXPORT_PATH, REQUEST, { deadlineMs: 2000 });

    expect(end.code).toBe(status.UNAVAILABLE);
  });

  test("without a grace period interrupts an earlier stop that waits", async () => {
    const { peer, listener } = await runGrpcListener();
    const stuck = peer().greet();
    const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
    stuck.send(frame(head, callHeaders(EXPORT_PATH)));
    stuck.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await stuck.frame(({ type }) => type === FRAME.ping);

    await Promise.all([listener.stop(3_600_000), listener.stop(0)]);
    await stuck.ended;

    expect(listener.counts()).toMatchObject({ openConnections: 0, heldBytes: 0 });
  });
});

describe("the bytes in flight", () => {
  test("are zero after calls of every kind have ended", async () => {
    const { client, peer, listener } = await runGrpcListener({ maxMessageBytes: 100_000 });
    const sender = client();
    const head = { type: FRAME.headers, flags: FLAG.endHeaders };
    const leaving = peer().greet();
    leaving.send(frame({ ...head, streamId: 1 }, callHeaders(EXPORT_PATH)));
    leaving.send(frame({ type: FRAME.data, streamId: 1 }, messagePrefix(5000)));
    leaving.send(frame({ ...head, streamId: 3 }, callHeaders(EXPORT_PATH)));
    leaving.send(frame({ type: FRAME.resetStream, streamId: 3 }, Buffer.of(0, 0, 0, 8)));
    leaving.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await leaving.frame(({ type }) => type === FRAME.ping);
    const heldByLeaving = listener.counts().heldBytes;

    await callUnary(sender, EXPORT_PATH, REQUEST);
    await callUnary(sender, EXPORT_PATH, Buffer.alloc(100_001));
    await callUnary(sender, "/no.such/Method", REQUEST);
    leaving.destroy();
    await listener.stop(0);

    expect(heldByLeaving).toBeGreaterThan(512);
    expect(heldByLeaving).toBeLessThan(20_000);
    expect(listener.counts().heldBytes).toBe(0);
  });

  test("of one message may equal the budget", async () => {
    const size = 1_000_000;
    const limits = { inFlightBytes: size };
    const { client, problems } = await runGrpcListener({ limits, maxMessageBytes: size });

    const end = await callUnary(client(), EXPORT_PATH, Buffer.alloc(size));

    expect(end.code).toBe(status.OK);
    expect(countsOf(problems)).toEqual({});
  });
});

test("every limit of grpc-js is set", () => {
  const limits = {
    ...GRPC_TEST_LIMITS,
    streamsPerConnection: 1,
    connectionAgeMs: 3,
    keepaliveMs: 4,
    keepaliveTimeoutMs: 5,
  };

  const options = serverOptions(limits, 6);

  expect(options).toEqual({
    "grpc.max_concurrent_streams": 1,
    "grpc.max_connection_age_ms": 3,
    "grpc.max_connection_age_grace_ms": 30_000,
    "grpc.keepalive_time_ms": 4,
    "grpc.keepalive_timeout_ms": 5,
    "grpc.max_receive_message_length": 6,
    "grpc.enable_channelz": 0,
  });
});

let logger: RecordingLogger;

beforeEach(() => {
  logger = new RecordingLogger();
  logLibraryThrough(logger, new HandMovedClock());
});
// The logger belongs to the process: other test files start without one.
afterAll(() => setLogger({}));

test("a complaint of grpc-js is logged as a warning without the value that the peer sent", () => {
  Metadata.fromHttp2Headers({ "x-name": "secret\u0001value" });

  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "grpc_library",
      fields: { lines: 1, text: "Failed to add metadata entry x-name" },
    },
  ]);
});

test("text of a peer in a complaint is escaped and cut", () => {
  Metadata.fromHttp2Headers({ [`x\u001b[2J${"y".repeat(1000)}`]: "value" });

  const text = String(logger.lines[0]?.fields["text"]);
  expect(text).toStartWith("Failed to add metadata entry x\\x1b[2Jyyy");
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(256);
});

test("repeated complaints are logged once per second", () => {
  for (let call = 0; call < 100; call += 1) {
    Metadata.fromHttp2Headers({ "x-name": "secret\u0001value" });
  }

  expect(logger.lines).toHaveLength(1);
});

test("lines below the level of errors are dropped, whatever level grpc-js had before", () => {
  setLogVerbosity(logVerbosity.DEBUG);

  logLibraryThrough(logger, new HandMovedClock());
  experimental.log(logVerbosity.DEBUG, "received headers");
  experimental.log(logVerbosity.INFO, "something happened");

  expect(logger.lines).toEqual([]);
});
