import { describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { EXPORT_PATH, gzipBomb } from "../../support/grpc/grpc-call.ts";
import {
  beginCall,
  callHttp2,
  endOf,
  openHttp2,
  pong,
} from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { sessionsOfEachTest } from "../../support/grpc/http2-sessions.ts";

// Calls that are valid HTTP/2 but invalid gRPC.
stopGrpcListenersAfterEach();
const sessions = sessionsOfEachTest();

const MAX_BYTES = 100_000;
const REQUEST = Buffer.from("not decoded here");

async function runWithSession() {
  const running = await runGrpcListener({ maxMessageBytes: MAX_BYTES });
  const session = openHttp2(running.listener.port);
  sessions.push(session);
  return { ...running, session };
}

describe("a call without exactly one complete message", () => {
  test.each([
    {
      name: "whose message declares a length above the limit",
      pieces: [messagePrefix(MAX_BYTES + 1)],
      code: status.RESOURCE_EXHAUSTED,
    },
    {
      name: "whose message declares a length of 4 GiB",
      pieces: [messagePrefix(0xffffffff)],
      code: status.RESOURCE_EXHAUSTED,
    },
  ])("$name: status $code, and nothing is received", async ({ pieces, code }) => {
    const { session, receiver } = await runWithSession();

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(code);
    expect(receiver.requests).toEqual([]);
  });

  const truncated = "the call ended before the end of its message";

  test.each([
    { name: "without a message", pieces: [], code: 12, message: "the call has no message" },
    {
      name: "with two messages",
      pieces: [grpcMessage(REQUEST), grpcMessage(REQUEST)],
      code: 12,
      message: "the call has more than one message",
    },
    { name: "with a part", pieces: [messagePrefix(100), REQUEST], code: 13, message: truncated },
    {
      name: "without the last byte",
      pieces: [grpcMessage(REQUEST).subarray(0, -1)],
      code: 13,
      message: truncated,
    },
    { name: "with only a prefix", pieces: [messagePrefix(1)], code: 13, message: truncated },
    { name: "with half a prefix", pieces: [Buffer.of(0, 0)], code: 13, message: truncated },
  ])("$name: status $code, $message, counted as malformed", async ({ pieces, code, message }) => {
    const { session, receiver, problems } = await runWithSession();

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(code);
    expect(decodeURI(end.grpcMessage)).toStartWith(message);
    expect(receiver.requests).toEqual([]);
    expect(receiver.turnedAwayAs).toEqual(["malformed"]);
    expect(countsOf(problems)).toEqual({ malformed: 1 });
  });

  test("to another service is refused but not counted as an export", async () => {
    const { session, receiver } = await runWithSession();

    const path = "/grpc.health.v1.Health/Check";
    const end = await callHttp2(session, { path, pieces: [messagePrefix(9), REQUEST.subarray(8)] });

    expect([end.grpcStatus, decodeURI(end.grpcMessage)]).toEqual([status.INTERNAL, truncated]);
    expect(receiver.turnedAwayAs).toEqual([]);
  });

  test("to an unknown method is UNIMPLEMENTED, with the path in its message", async () => {
    const { session, receiver } = await runWithSession();

    const path = "/a/for%20server%20streaming%20method";
    const end = await callHttp2(session, { path, pieces: [messagePrefix(100)] });

    expect(end.grpcStatus).toBe(status.UNIMPLEMENTED);
    expect(end.grpcMessage).toContain(path);
    expect(receiver.turnedAwayAs).toEqual([]);
  });

  test("is refused at the length prefix if the length exceeds the limit", async () => {
    const { session } = await runWithSession();

    const unfinished = beginCall(session, { pieces: [messagePrefix(MAX_BYTES + 1)] });

    expect((await endOf(unfinished)).grpcStatus).toBe(status.RESOURCE_EXHAUSTED);
  });

  test("is refused at the first byte after a complete message", async () => {
    const { session, receiver, problems } = await runWithSession();
    const pieces = [grpcMessage(Buffer.alloc(50_000)), Buffer.of(0)];

    const unfinished = beginCall(session, { pieces });

    expect((await endOf(unfinished)).grpcStatus).toBe(status.UNIMPLEMENTED);
    expect(receiver.requests).toEqual([]);
    expect(countsOf(problems)).toEqual({ malformed: 1 });
  });

  test("is accepted if its message arrives byte by byte", async () => {
    const { session, receiver } = await runWithSession();
    const pieces = [...grpcMessage(REQUEST)].map((byte) => Buffer.of(byte));

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(status.OK);
    expect(receiver.requests).toEqual([REQUEST]);
  });
});

describe("a compressed call", () => {
  test.each([
    { encoding: "gzip", flag: 1, body: gzipSync(REQUEST) },
    { encoding: "deflate", flag: 1, body: deflateSync(REQUEST) },
    { encoding: "zstd", flag: 1, body: zstdCompressSync(REQUEST) },
    { encoding: "gzip", flag: 0, body: REQUEST },
    { encoding: "identity", flag: 0, body: REQUEST },
    { encoding: "br", flag: 0, body: REQUEST },
  ])("with $encoding and flag $flag is received", async ({ encoding, flag, body }) => {
    const { session, receiver, problems } = await runWithSession();
    const pieces = [grpcMessage(body, flag)];

    const end = await callHttp2(session, { headers: { "grpc-encoding": encoding }, pieces });

    expect(end.grpcStatus).toBe(status.OK);
    expect(receiver.requests).toEqual([REQUEST]);
    expect(countsOf(problems)).toEqual({});
  });

  const gzip = { "grpc-encoding": "gzip" };
  const zstd = { "grpc-encoding": "zstd" };

  test.each([
    { name: "a set flag without encoding", headers: {}, flag: 1, body: REQUEST, code: 13 },
    {
      name: "a set flag with identity",
      headers: { "grpc-encoding": "identity" },
      flag: 1,
      body: REQUEST,
      code: 13,
    },
    { name: "a flag of 2", headers: gzip, flag: 2, body: gzipSync(REQUEST), code: 13 },
    { name: "invalid gzip", headers: gzip, flag: 1, body: REQUEST, code: 3 },
    { name: "cut gzip", headers: gzip, flag: 1, body: gzipSync(REQUEST).subarray(0, 12), code: 3 },
    { name: "invalid zstd", headers: zstd, flag: 1, body: gzipSync(REQUEST), code: 3 },
  ])("with $name: status $code, counted as malformed", async ({ headers, flag, body, code }) => {
    const { session, receiver, problems } = await runWithSession();

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(body, flag)] });

    expect(end.grpcStatus).toBe(code);
    const problem = code === 13 ? "malformed" : "broken_compression";
    expect(receiver.requests).toEqual([]);
    expect(receiver.turnedAwayAs).toEqual(["malformed"]);
    expect(countsOf(problems)).toEqual({ [problem]: 1 });
  });

  test.each([
    { name: "a byte above the limit", headers: gzip, body: gzipBomb(MAX_BYTES + 1) },
    { name: "a gzip bomb", headers: gzip, body: gzipBomb(50_000_000) },
    { name: "a zstd bomb", headers: zstd, body: zstdCompressSync(Buffer.alloc(50_000_000)) },
  ])("of $name is too large", async ({ headers, body }) => {
    const { session, receiver, problems } = await runWithSession();

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(body, 1)] });

    expect(end.grpcStatus).toBe(status.RESOURCE_EXHAUSTED);
    expect(receiver.turnedAwayAs).toEqual(["too_large"]);
    expect(countsOf(problems)).toEqual({ too_large: 1 });
  });

  test.each([
    { name: "spans", path: EXPORT_PATH, noted: { unsupported_encoding: 1 } },
    { name: "a health check", path: "/grpc.health.v1.Health/Check", noted: {} },
    { name: "a health watch", path: "/grpc.health.v1.Health/Watch", noted: {} },
    {
      name: "reflection",
      path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      noted: {},
    },
  ])("of $name with an unsupported encoding is answered with the supported ones", async (call) => {
    const { session, receiver, problems } = await runWithSession();
    const headers = { "grpc-encoding": "br" };

    const end = await callHttp2(session, {
      path: call.path,
      headers,
      pieces: [grpcMessage(REQUEST, 1)],
    });

    expect(end.grpcStatus).toBe(status.UNIMPLEMENTED);
    expect(end.acceptEncoding).toBe("identity,gzip,deflate,zstd");
    expect(countsOf(problems)).toEqual(call.noted);
    expect(receiver.requests).toEqual([]);
  });

  test("with a bomb is refused, a hundred times at once", async () => {
    const { session } = await runWithSession();
    const bomb = {
      headers: { "grpc-encoding": "gzip" },
      pieces: [grpcMessage(gzipBomb(4e6), 1)],
    };

    const ends = await Promise.all(Array.from({ length: 100 }, () => callHttp2(session, bomb)));

    const refused = ends.filter(({ grpcStatus }) => grpcStatus === status.RESOURCE_EXHAUSTED);
    expect(refused).toHaveLength(100);
  });
});

describe("the headers of a call", () => {
  test.each(["99999999H", "99999999S", "0n", "1n", "soon", "-1S"])(
    "may contain the deadline %p, which is ignored",
    async (timeout) => {
      const { session, receiver } = await runWithSession();
      const headers = { "grpc-timeout": timeout };
      const stream = beginCall(session, { headers, pieces: [messagePrefix(REQUEST.length)] });

      // A timer of zero milliseconds would expire on the server in the meantime.
      for (let ping = 0; ping < 20; ping += 1) await pong(session);
      stream.end(REQUEST);

      expect((await endOf(stream)).grpcStatus).toBe(status.OK);
      expect(receiver.requests).toEqual([REQUEST]);
    },
  );

  test.each([
    "application/json",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpcfoo",
    "text/application/grpc",
    "",
  ])("with the content type %p are answered with 415 without gRPC", async (contentType) => {
    const { session, receiver } = await runWithSession();
    const headers = { "content-type": contentType };

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(REQUEST)] });

    expect([end.httpStatus, end.grpcStatus]).toEqual([415, undefined]);
    expect(receiver.requests).toEqual([]);
  });

  test.each([
    "application/grpc",
    "Application/GRPC",
    "application/grpc+proto",
    "application/grpc; charset=utf-8",
    "application/grpc+proto ;v=1",
  ])("with the content type %p are accepted", async (contentType) => {
    const { session, receiver } = await runWithSession();
    const headers = { "content-type": contentType };

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(REQUEST)] });

    expect([end.httpStatus, end.grpcStatus]).toEqual([200, status.OK]);
    expect(receiver.requests).toEqual([REQUEST]);
  });

  test("may contain unsafe text, which is not logged", async () => {
    const { session, logger } = await runWithSession();
    const headers = { "x-name-bin": "%%%", "user-agent": "a\u0080b" };

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(REQUEST)] });

    expect(end.grpcStatus).toBe(status.OK);
    expect(JSON.stringify(logger.lines)).not.toContain("\u0080");
  });
});
