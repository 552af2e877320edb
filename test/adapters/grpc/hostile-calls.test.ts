import { afterEach, describe, expect, test } from "bun:test";
import type { ClientHttp2Session } from "node:http2";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { gzipBomb } from "../../support/grpc-call.ts";
import { beginCall, callHttp2, endOf, openHttp2, pong } from "../../support/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc-wire.ts";
import { countsOf } from "../../support/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running-grpc-listener.ts";

// Calls that are proper HTTP/2 and improper gRPC.

stopGrpcListenersAfterEach();

const sessions: ClientHttp2Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

const MAX_BYTES = 100_000;
const REQUEST = Buffer.from("not decoded here");

async function runWithSession() {
  const running = await runGrpcListener({ maxMessageBytes: MAX_BYTES });
  const session = openHttp2(running.listener.port);
  sessions.push(session);
  return { ...running, session };
}

describe("messages that are not one whole message", () => {
  test.each([
    { name: "none", pieces: [], code: status.UNIMPLEMENTED },
    { name: "two", pieces: [grpcMessage(REQUEST), grpcMessage(REQUEST)], code: 12 },
    { name: "half of one", pieces: [messagePrefix(100), REQUEST], code: status.UNIMPLEMENTED },
    { name: "half of a prefix", pieces: [Buffer.of(0, 0)], code: status.UNIMPLEMENTED },
    {
      name: "one that says it is too long",
      pieces: [messagePrefix(MAX_BYTES + 1)],
      code: status.RESOURCE_EXHAUSTED,
    },
    {
      name: "one that says it is 4 GiB long",
      pieces: [messagePrefix(0xffffffff)],
      code: status.RESOURCE_EXHAUSTED,
    },
  ])("$name: $code, and nothing is received", async ({ pieces, code }) => {
    const { session, receiver } = await runWithSession();

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(code);
    expect(receiver.requests).toEqual([]);
  });

  test("a length beyond the limit is refused before the message comes", async () => {
    const { session } = await runWithSession();

    const unfinished = beginCall(session, { pieces: [messagePrefix(MAX_BYTES + 1)] });

    expect((await endOf(unfinished)).grpcStatus).toBe(status.RESOURCE_EXHAUSTED);
  });

  test("a whole one with half of another behind it is received as it is", async () => {
    const { session, receiver, logger } = await runWithSession();
    const large = Buffer.alloc(50_000, "not decoded here");
    const pieces = [grpcMessage(large), messagePrefix(90_000), Buffer.alloc(60_000)];

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(status.OK);
    expect(receiver.requests).toEqual([large]);
    expect(logger.lines).toEqual([]);
  });

  test("one that comes byte by byte is received whole", async () => {
    const { session, receiver } = await runWithSession();
    const pieces = [...grpcMessage(REQUEST)].map((byte) => Buffer.of(byte));

    const end = await callHttp2(session, { pieces });

    expect(end.grpcStatus).toBe(status.OK);
    expect(receiver.requests).toEqual([REQUEST]);
  });
});

describe("compression", () => {
  test.each([
    { encoding: "gzip", compressed: true, body: gzipSync(REQUEST), code: status.OK },
    { encoding: "gzip", compressed: false, body: REQUEST, code: status.OK },
    { encoding: "identity", compressed: false, body: REQUEST, code: status.OK },
    { encoding: "br", compressed: false, body: REQUEST, code: status.OK },
    { encoding: "br", compressed: true, body: REQUEST, code: 12, problem: "unsupported_encoding" },
    {
      encoding: "gzip",
      compressed: true,
      body: gzipSync(REQUEST).subarray(0, 12),
      code: 3,
      problem: "broken_compression",
    },
    {
      encoding: "gzip",
      compressed: true,
      body: gzipBomb(MAX_BYTES + 1),
      code: 8,
      problem: "too_large",
    },
    {
      encoding: "gzip",
      compressed: true,
      body: gzipBomb(50_000_000),
      code: 8,
      problem: "too_large",
    },
  ])("$encoding, flag $compressed, $body.length bytes: $code", async (call) => {
    const { session, receiver, problems } = await runWithSession();
    const pieces = [grpcMessage(call.body, call.compressed)];

    const end = await callHttp2(session, { headers: { "grpc-encoding": call.encoding }, pieces });

    expect(end.grpcStatus).toBe(call.code);
    expect(receiver.requests).toEqual(call.code === status.OK ? [REQUEST] : []);
    expect(countsOf(problems)).toEqual(call.problem === undefined ? {} : { [call.problem]: 1 });
  });

  test("a hundred bombs at once are each refused", async () => {
    const { session } = await runWithSession();
    const bomb = {
      headers: { "grpc-encoding": "gzip" },
      pieces: [grpcMessage(gzipBomb(4e6), true)],
    };

    const ends = await Promise.all(Array.from({ length: 100 }, () => callHttp2(session, bomb)));

    const refused = ends.filter(({ grpcStatus }) => grpcStatus === status.RESOURCE_EXHAUSTED);
    expect(refused).toHaveLength(100);
  });
});

describe("headers", () => {
  test.each(["99999999H", "99999999S", "0n", "1n", "soon", "-1S"])(
    "a deadline of %p does not matter",
    async (timeout) => {
      const { session, receiver } = await runWithSession();
      const headers = { "grpc-timeout": timeout };
      const stream = beginCall(session, { headers, pieces: [messagePrefix(REQUEST.length)] });

      // Long enough for a timer of no time at all to run out on the server.
      for (let ping = 0; ping < 20; ping += 1) await pong(session);
      stream.end(REQUEST);

      expect((await endOf(stream)).grpcStatus).toBe(status.OK);
      expect(receiver.requests).toEqual([REQUEST]);
    },
  );

  test("another content type is 415, and no gRPC at all", async () => {
    const { session, receiver } = await runWithSession();
    const headers = { "content-type": "application/json" };

    const end = await callHttp2(session, { headers, pieces: [Buffer.from("{}")] });

    expect([end.httpStatus, end.grpcStatus]).toEqual([415, undefined]);
    expect(receiver.requests).toEqual([]);
  });

  test("text that is not fit for a log is received all the same", async () => {
    const { session, logger } = await runWithSession();
    const headers = { "x-name-bin": "%%%", "user-agent": "a\u0080b" };

    const end = await callHttp2(session, { headers, pieces: [grpcMessage(REQUEST)] });

    expect(end.grpcStatus).toBe(status.OK);
    expect(JSON.stringify(logger.lines)).not.toContain("\u0080");
  });
});
