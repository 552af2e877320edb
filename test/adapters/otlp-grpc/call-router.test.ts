import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, test } from "bun:test";
import { type ClientHttp2Session, type ServerHttp2Stream, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { beginCall, callHttp2, openHttp2, pong } from "../../support/grpc/grpc-http2-call.ts";
import {
  callHeaders,
  dataFrames,
  FLAG,
  frame,
  FRAME,
  grpcMessage,
  messagePrefix,
} from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { sessionsOfEachTest } from "../../support/grpc/http2-sessions.ts";

stopGrpcListenersAfterEach();

const sessions = sessionsOfEachTest();

function sessionTo(port: number): ClientHttp2Session {
  const session = openHttp2(port);
  sessions.push(session);
  return session;
}

const WATCH_PATH = "/grpc.health.v1.Health/Watch";

describe("a stream is charged", () => {
  test("for its message while it arrives", async () => {
    const { listener } = await runGrpcListener();
    const session = sessionTo(listener.port);

    const stream = beginCall(session, { pieces: [messagePrefix(50_000), Buffer.alloc(40_000)] });
    await pong(session);
    const held = listener.counts().heldBytes;
    stream.destroy();

    expect(held).toBeGreaterThan(40_000);
    expect(held).toBeLessThan(50_000);
  });

  test("for less after the answer, until the peer ends it", async () => {
    const { peer, listener } = await runGrpcListener();
    const lingering = peer().greet();
    const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
    const followed = Buffer.concat([grpcMessage(Buffer.alloc(10_000)), Buffer.of(0)]);

    lingering.send(frame(head, callHeaders(EXPORT_PATH)));
    lingering.send(dataFrames(1, followed.subarray(0, 8_000)));
    lingering.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await lingering.frame(({ type }) => type === FRAME.ping);
    const before = listener.counts().heldBytes;
    lingering.send(dataFrames(1, followed.subarray(8_000)));
    await lingering.frame(({ type }) => type === FRAME.headers);

    const after = listener.counts().heldBytes;
    lingering.destroy();

    expect(before).toBeGreaterThan(8_000);
    expect(after).toBeLessThan(8_000);
  });

  test.each([
    { path: EXPORT_PATH, field: "x-unused", held: "not" },
    { path: EXPORT_PATH, field: "authorization", held: "held" },
    { path: WATCH_PATH, field: "x-unused", held: "held" },
  ])("for large header fields that are kept: $field of $path is $held", async (headers) => {
    const { peer, listener } = await runGrpcListener();
    const caller = peer().greet();
    const block = callHeaders(headers.path, { [headers.field]: "v".repeat(12_000) });

    caller.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, block));
    caller.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await caller.frame(({ type }) => type === FRAME.ping);
    const { heldBytes } = listener.counts();
    caller.destroy();

    expect(heldBytes > 12_000 ? "held" : "not").toBe(headers.held);
  });

  test("and answered although its large header fields have been dropped", async () => {
    const { listener, receiver } = await runGrpcListener();
    const { grpcStatus } = await callHttp2(sessionTo(listener.port), {
      headers: { "x-unused": "v".repeat(12_000), "grpc-encoding": "gzip" },
      pieces: [grpcMessage(gzipSync(Buffer.from("message")), 1)],
    });

    expect(grpcStatus).toBe(0);
    expect(receiver.requests.map(String)).toEqual(["message"]);
  });
});

function hasSubscribers(): boolean {
  return channel("http2.server.stream.created").hasSubscribers;
}

/** Resolves to the stream of the next call to any server of the process. */
function nextServerStream(): Promise<ServerHttp2Stream> {
  const found = Promise.withResolvers<ServerHttp2Stream>();
  const created = (event: unknown): void => {
    unsubscribe("http2.server.stream.created", created);
    found.resolve((event as { stream: ServerHttp2Stream }).stream);
  };
  subscribe("http2.server.stream.created", created);
  return found.promise;
}

test.each([
  { event: "data", path: EXPORT_PATH },
  { event: "end", path: EXPORT_PATH },
  { event: "data", path: WATCH_PATH },
  { event: "end", path: WATCH_PATH },
])(
  "what comes out of a stream without a connection is ignored: $event of $path",
  async ({ event, path }) => {
    const { peer, receiver } = await runGrpcListener();
    const leaving = peer().greet();
    const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
    const begun = nextServerStream();
    leaving.send(frame(head, callHeaders(path)));
    const stream = await begun;
    const late = new Promise((resolve) => {
      // Bun passes on what it has buffered of a stream in a later turn of the event loop.
      const pass = () => stream.emit(event, messagePrefix(50_000_000));
      stream.session!.socket.once("close", () => void resolve(Promise.try(pass)));
    });
    leaving.destroy();

    expect(await late).toBe(true);
    expect(receiver.turnedAwayAs).toEqual([]);
  },
);

describe("the wait for the first stream", () => {
  test("ends with the first stream", async () => {
    const { client } = await runGrpcListener();
    const before = hasSubscribers();

    await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect([before, hasSubscribers()]).toEqual([true, false]);
  });

  test("ends when the listener has stopped", async () => {
    const { listener } = await runGrpcListener();

    await listener.stop(0);

    expect(hasSubscribers()).toBe(false);
  });
});

test("the memory of a message and its pieces is released at the end of the stream", async () => {
  const { listener, receiver } = await runGrpcListener();
  const session = sessionTo(listener.port);
  const pieces: Uint8Array[] = [];
  const closed = Promise.withResolvers<void>();
  const begun = (event: unknown) => {
    const { stream } = event as { stream: ServerHttp2Stream };
    stream.on("data", (piece: Uint8Array) => pieces.push(piece));
    // Called after the listener of the watch, which is subscribed first.
    stream.once("close", () => setImmediate(closed.resolve));
  };
  subscribe("http2.server.stream.created", begun);

  await callHttp2(session, { pieces: [grpcMessage(Buffer.alloc(50_000))] });
  await closed.promise;
  unsubscribe("http2.server.stream.created", begun);

  expect(receiver.requests).toEqual([Buffer.alloc(50_000)]);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.filter(({ length }) => length >= 4096)).toEqual([]);
  expect(receiver.lengthsLater()).toEqual([0]);
});

test("streams of another server are neither changed nor charged", async () => {
  const { listener } = await runGrpcListener();
  const foreign = createServer();
  const seen = Promise.withResolvers<unknown>();
  foreign.on("stream", (stream: ServerHttp2Stream, headers) => {
    seen.resolve(headers["grpc-timeout"]);
    stream.respond({ ":status": 200 }, { endStream: true });
  });
  await once(foreign.listen(0, "127.0.0.1"), "listening");
  const session = sessionTo((foreign.address() as AddressInfo).port);

  await callHttp2(session, { headers: { "grpc-timeout": "1S" } });
  session.destroy();
  foreign.close();

  expect(await seen.promise).toBe("1S");
  expect(listener.counts().heldBytes).toBe(0);
});

describe("a peer that", () => {
  const WHOLE = { pieces: [grpcMessage(Buffer.alloc(0))] };
  const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };

  test("violates HTTP/2 is recorded", async () => {
    const { peer, problems } = await runGrpcListener();
    const violating = peer().greet();

    violating.send(frame(head, callHeaders(EXPORT_PATH)), frame({ type: FRAME.data, streamId: 0 }));
    await violating.ended;

    expect(problems.list()).toMatchObject([
      { protocol: "grpc", reason: "broken_http2", address: "127.0.0.1", count: 1 },
    ]);
  });

  // grpc-go says GOAWAY with the last stream of its own, which violates HTTP/2.
  const goAway = frame({ type: FRAME.goAway }, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));
  const lastHead = { type: FRAME.headers, flags: FLAG.endHeaders | FLAG.endStream, streamId: 1 };

  test("says GOAWAY in the way of grpc-go after its calls is not recorded", async () => {
    const { peer, problems } = await runGrpcListener();
    const leaving = peer().greet();
    leaving.send(frame(lastHead, callHeaders("/nowhere")));
    await leaving.frame(({ type }) => type === FRAME.headers);

    leaving.send(goAway);
    await leaving.ended;

    expect(countsOf(problems)).toEqual({ unknown_path: 1 });
  });

  test("says GOAWAY in this way during a call is recorded", async () => {
    const { peer, problems } = await runGrpcListener();
    const leaving = peer().greet();

    leaving.send(frame(head, callHeaders(EXPORT_PATH)), goAway);
    await leaving.ended;

    expect(countsOf(problems)).toEqual({ broken_http2: 1 });
  });

  test("resets its connection is not recorded", async () => {
    const { peer, problems, listener } = await runGrpcListener();
    const [gone, other] = [peer().greet(), sessionTo(listener.port)];
    gone.send(frame(head, callHeaders(EXPORT_PATH)));
    while (listener.counts().heldBytes === 0) await callHttp2(other, WHOLE);

    gone.socket.resetAndDestroy();
    await gone.ended;
    while (listener.counts().openConnections > 1) await callHttp2(other, WHOLE);

    expect(problems.list()).toEqual([]);
  });
});

stopGrpcListenersAfterEach();

const WINDOW_BYTES = 2 * 1024 * 1024;

test("the connection and its streams have the same large window", async () => {
  const { peer } = await runGrpcListener();
  const large = peer().greet();
  const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
  const initialWindowSize = 4;

  large.send(frame(head, callHeaders(EXPORT_PATH)));
  const more = await large.frame(({ type }) => type === FRAME.windowUpdate);

  // The window of a connection begins with 65,535 bytes.
  const settings = large.frames.findLast(({ type }) => type === FRAME.settings)?.payload;
  const advertised = settings?.subarray(settings.length - 6);
  expect([more.streamId, more.payload.readUInt32BE(0) + 65_535]).toEqual([0, WINDOW_BYTES]);
  expect(advertised?.readUInt16BE(0)).toBe(initialWindowSize);
  expect(advertised?.readUInt32BE(2)).toBe(WINDOW_BYTES);
});
