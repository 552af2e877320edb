import { expect, test, afterEach, describe, jest } from "bun:test";
import { openingOf } from "../../../src/adapters/otlp-grpc/opening.ts";
import {
  GREETING,
  callHeaders,
  FLAG,
  frame,
  FRAME,
  messagePrefix,
} from "../../support/grpc/grpc-wire.ts";
import { connect } from "node:net";
import { status } from "@grpc/grpc-js";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import {
  GRPC_TEST_LIMITS,
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

/** The first bytes of an OpenSSL client: a handshake record with a ClientHello. */
const CLIENT_HELLO = Buffer.from("16030100c8010000c40303", "hex");

test.each([
  { name: "the preface", head: GREETING, opening: "http2" },
  { name: "an export over HTTP/1.1", head: "POST /v1/traces HTTP/1.1\r\n", opening: "http1" },
  { name: "a probe", head: "GET / HTTP/1.1\r\n", opening: "http1" },
  { name: "a method that begins like the preface", head: "PROPFIND /x", opening: "http1" },
  { name: "a ClientHello", head: CLIENT_HELLO, opening: "tls" },
  { name: "the first byte of TLS before other bytes", head: [0x16, 0x04], opening: "other" },
  { name: "zeros", head: [0, 0], opening: "other" },
  { name: "a lower-case method", head: "post / HTTP/1.1\r\n", opening: "other" },
  { name: "an overlong method", head: "A".repeat(17), opening: "other" },
  { name: "a line break after the method", head: "GET \r\n", opening: "other" },
  { name: "HTTP/2 in another version", head: "PRI * HTTP/3.0\r\n", opening: "http1" },
])("$name is recognised as $opening", ({ head, opening }) => {
  expect<unknown>(openingOf(Buffer.from(head as string))).toBe(opening);
});

test.each<{ name: string; whole: Buffer | string; minBytes: number }>([
  { name: "the preface", whole: GREETING, minBytes: 16 },
  { name: "HTTP/1.1", whole: "POST /v1/traces", minBytes: 6 },
  { name: "TLS", whole: CLIENT_HELLO, minBytes: 2 },
])(
  "$name is recognised from its first $minBytes bytes, and not from fewer",
  ({ whole, minBytes }) => {
    const bytes = Buffer.from(whole as string);

    const early = Array.from(Array(minBytes).keys(), (length) =>
      openingOf(bytes.subarray(0, length)),
    );

    expect(early).toEqual(Array(minBytes).fill(undefined));
    expect(openingOf(bytes.subarray(0, minBytes))).toBe(openingOf(bytes)!);
  },
);

afterEach(() => void jest.useRealTimers());
stopGrpcListenersAfterEach();

// Goal: a peer that uses a wrong protocol receives the right port in an error that its tools
// display, and the operator finds it in the list of problems.

const RIGHT_PORT = "this port speaks gRPC without TLS, over HTTP/2: OTLP/HTTP is at port 4318;";

/** Sends bytes in pieces, and resolves with the whole answer. */
async function answerTo(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const answer: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => answer.push(bytes));
  const ended = new Promise<void>((resolve) => socket.once("end", () => resolve()));
  for (const piece of pieces) {
    await new Promise<void>((resolve) => void socket.write(piece, () => resolve()));
  }
  await ended;
  socket.destroy();
  return Buffer.concat(answer).toString("latin1");
}

describe("an export over HTTP/1.1", () => {
  test("is answered in JSON and recorded without its query", async () => {
    const { listener, problems } = await runGrpcListener();
    const url = `http://127.0.0.1:${listener.port}/v1/traces?token=secret`;

    const answer = await fetch(url, { method: "POST", body: "{}" });
    const { code, message } = (await answer.json()) as { code: number; message: string };

    expect(answer.status).toBe(421);
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(message).toStartWith(RIGHT_PORT);
    expect(problems.list()).toMatchObject([
      {
        protocol: "grpc",
        reason: "http_on_grpc",
        address: "127.0.0.1",
        count: 1,
        detail: "POST /v1/traces",
      },
    ]);
  });

  test("in protobuf is answered in protobuf, even if it is long", async () => {
    const { listener } = await runGrpcListener();
    const headers = { "Content-Type": "application/x-protobuf" };
    const body = new Uint8Array(5_000_000);

    const answer = await fetch(`http://127.0.0.1:${listener.port}`, {
      method: "POST",
      headers,
      body,
    });
    const { code, message } = google.rpc.Status.decode(await answer.bytes());

    expect(answer.headers.get("content-type")).toBe("application/x-protobuf");
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(message).toStartWith(RIGHT_PORT);
  });

  test("in any pieces is answered, and its connection is closed", async () => {
    const { listener, problems } = await runGrpcListener();

    const answer = await answerTo(listener.port, "P", "OST", " /x", " HTTP/1.1\r\n\r\n");

    expect(answer).toStartWith("HTTP/1.1 421 Misdirected Request\r\n");
    expect(answer).toContain("\r\nConnection: close\r\n");
    expect(problems.list()).toMatchObject([{ detail: "POST /x", count: 1 }]);
  });
});

test.each([
  { name: "TLS", bytes: Buffer.from("16030100c8010000c40303", "hex"), reason: "tls" },
  { name: "an unknown protocol", bytes: Buffer.from([1, 2, 3]), reason: "not_http2" },
] as const)("$name is answered, recorded as $reason, and counted once", async (given) => {
  jest.useFakeTimers();
  const { listener, problems } = await runGrpcListener();
  const { bytes, reason } = given;

  const answer = await answerTo(listener.port, bytes);
  while (listener.counts().openConnections > 0) await nextTurn();
  jest.advanceTimersByTime(GRPC_TEST_LIMITS.firstRequestMs);

  expect(answer).toContain(problems.hint(reason));
  expect(problems.list().map((problem) => [problem.reason, problem.count])).toEqual([[reason, 1]]);
});

test("a connection is closed after such an answer", async () => {
  const { listener } = await runGrpcListener({ limits: { connections: 1 } });

  const first = await answerTo(listener.port, "GET / HTTP/1.1\r\n\r\n");
  let second = "";
  // While the first connection is open, another one is closed without an answer.
  while (second === "") second = await answerTo(listener.port, "GET / HTTP/1.1\r\n\r\n");

  expect(first).toBe(second);
});

test("gRPC in single bytes is served", async () => {
  const { peer, receiver, problems } = await runGrpcListener();
  const cut = peer();
  const call = Buffer.concat([
    GREETING,
    frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, callHeaders(EXPORT_PATH)),
    frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)),
  ]);

  for (const byte of call) {
    await new Promise<void>((resolve) => void cut.socket.write(Buffer.of(byte), () => resolve()));
  }
  await cut.frame(({ type, flags }) => type === FRAME.headers && (flags & FLAG.endStream) !== 0);

  expect(receiver.requests).toHaveLength(1);
  expect(problems.list()).toEqual([]);
});

test("fifty concurrent clients are all served", async () => {
  const { client, receiver } = await runGrpcListener();

  const calls = Array.from({ length: 50 }, () =>
    callUnary(client(), EXPORT_PATH, Buffer.alloc(100_000)),
  );
  const codes = (await Promise.all(calls)).map(({ code }) => code);

  expect(new Set(codes)).toEqual(new Set([status.OK]));
  expect(receiver.requests).toHaveLength(50);
});
