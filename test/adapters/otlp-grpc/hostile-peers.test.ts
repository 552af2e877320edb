import { describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { floodUnfinished } from "../../support/grpc/grpc-flood.ts";
import { beginCall, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import type { GrpcRawPeer } from "../../support/grpc/grpc-raw-peer.ts";
import { callHeaders, dataFrames, FLAG, frame, FRAME } from "../../support/grpc/grpc-wire.ts";
import { GREETING, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import type { RunningGrpcListener } from "../../support/running/running-grpc-listener.ts";
import { sessionsOfEachTest } from "../../support/grpc/http2-sessions.ts";

// Peers that violate HTTP/2, and malicious peers that do not.

stopGrpcListenersAfterEach();

const sessions = sessionsOfEachTest();

const HEADERS = callHeaders(EXPORT_PATH);

/** Returns the status of an export by another client on its own connection. */
async function codeOfExport({ client }: RunningGrpcListener): Promise<status> {
  const { code } = await callUnary(client(), EXPORT_PATH, Buffer.from("not decoded here"));
  return code;
}

function headersOn(streamId: number, block = HEADERS): Buffer {
  return frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId }, block);
}

describe("a peer is disconnected without effect on others if it sends", () => {
  const cases: { name: string; bytes: () => Uint8Array }[] = [
    { name: "HTTP/1.1", bytes: () => Buffer.from("GET / HTTP/1.1\r\nHost: here\r\n\r\n") },
    { name: "a TLS ClientHello", bytes: () => Buffer.from("1603010200010001fc0303", "hex") },
    { name: "zeros", bytes: () => Buffer.alloc(100_000) },
    {
      name: "a frame above the maximum size",
      bytes: () => Buffer.concat([GREETING, Buffer.from("ffffff000000000001", "hex")]),
    },
    {
      name: "headers that are not HPACK",
      bytes: () => Buffer.concat([GREETING, headersOn(1, Buffer.alloc(50, 0xff))]),
    },
    {
      name: "endless headers",
      bytes: () => {
        const more = frame({ type: FRAME.continuation, streamId: 1 }, Buffer.alloc(16_384, 0x20));
        const begin = frame({ type: FRAME.headers, streamId: 1 }, HEADERS);
        return Buffer.concat([GREETING, begin, ...Array.from({ length: 100 }, () => more)]);
      },
    },
    {
      name: "endless calls that it resets at once",
      bytes: () => {
        const pairs = Array.from({ length: 20_000 }, (_, index) => [
          headersOn(1 + 2 * index),
          frame({ type: FRAME.resetStream, streamId: 1 + 2 * index }, Buffer.of(0, 0, 0, 8)),
        ]);
        return Buffer.concat([GREETING, ...pairs.flat()]);
      },
    },
    {
      name: "endless pings",
      bytes: () => {
        const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));
        return Buffer.concat([GREETING, ...Array.from({ length: 100_000 }, () => ping)]);
      },
    },
  ];

  test.each(cases)("$name", async ({ bytes }) => {
    const running = await runGrpcListener();
    const peer = running.peer();

    peer.send(bytes());
    await peer.ended;

    expect(await codeOfExport(running)).toBe(status.OK);
  });
});

describe("a peer stays connected, but its data is discarded, if it sends", () => {
  const many = Array.from({ length: 1000 }, (_, index) => [`x-${index}`, "v"]);
  const tooMany = callHeaders(EXPORT_PATH, Object.fromEntries(many));

  test.each([
    { name: "data on an unopened stream", bytes: dataFrames(1, messagePrefix(0)) },
    { name: "more headers than allowed", bytes: headersOn(1, tooMany) },
    { name: "frames of an unknown type", bytes: frame({ type: 0x77 }, Buffer.alloc(99)) },
  ])("$name", async ({ bytes }) => {
    const running = await runGrpcListener();
    const peer = running.peer().greet();

    peer.send(bytes, frame({ type: FRAME.ping }, Buffer.alloc(8)));
    await peer.frame(({ type }) => type === FRAME.ping);

    expect(running.receiver.requests).toEqual([]);
    expect(await codeOfExport(running)).toBe(status.OK);
  });
});

/** Sends four incomplete messages, 60 kB in total: within the initial windows of HTTP/2. */
function sendUnfinished(peer: GrpcRawPeer): void {
  peer.greet();
  for (const streamId of [1, 3, 5, 7]) {
    peer.send(headersOn(streamId), dataFrames(streamId, messagePrefix(4_000_000)));
    peer.send(dataFrames(streamId, Buffer.alloc(15_000)));
  }
}

describe("unfinished messages over the budget", () => {
  /** The capacity includes the bytes that the listener adds for headers and frames. */
  const BUDGET_BYTES = 50_000;
  const CAPACITY_BYTES = BUDGET_BYTES + 128 * 1024;

  test("close the connections that sent them until the others fit", async () => {
    const running = await runGrpcListener({ limits: { inFlightBytes: BUDGET_BYTES } });
    const peers = Array.from({ length: 8 }, () => running.peer());

    for (const peer of peers) sendUnfinished(peer);
    await Promise.race(peers.map(({ ended }) => ended));
    const code = await codeOfExport(running);
    const counts = running.listener.counts();

    expect(code).toBe(status.OK);
    expect(countsOf(running.problems).in_flight_bytes).toBeGreaterThan(0);
    expect(counts.heldBytes).toBeLessThanOrEqual(CAPACITY_BYTES);
    const reasons = running.logger.lines.map(({ fields }) => fields["reason"]);
    expect(new Set(reasons)).toEqual(new Set(["in_flight_bytes"]));
  });

  test("do not include fast complete messages, whose peers stay connected", async () => {
    const running = await runGrpcListener({ limits: { inFlightBytes: BUDGET_BYTES } });
    const whole = Buffer.alloc(20_000);

    const ends = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const sender = running.client();
        const codes: status[] = [];
        for (let call = 0; call < 20; call += 1) {
          codes.push((await callUnary(sender, EXPORT_PATH, whole)).code);
        }
        return codes;
      }),
    );

    expect(new Set(ends.flat())).toEqual(new Set([status.OK]));
    expect(countsOf(running.problems)).toEqual({});
  });

  test("are counted in pieces of one byte", async () => {
    const running = await runGrpcListener({ limits: { inFlightBytes: BUDGET_BYTES } });
    const peer = running.peer().greet();
    const byte = dataFrames(1, Buffer.of(0));

    peer.send(headersOn(1), dataFrames(1, messagePrefix(4_000_000)));
    peer.send(...Array.from({ length: 1000 }, () => byte));
    await peer.ended;

    expect(countsOf(running.problems).in_flight_bytes).toBe(1);
  });

  test("are counted if they have only headers", async () => {
    const running = await runGrpcListener({ limits: { inFlightBytes: BUDGET_BYTES } });
    const peer = running.peer().greet();
    const block = callHeaders(EXPORT_PATH, { authorization: "v".repeat(10_000) });

    for (let call = 0; call < 20; call += 1) peer.send(headersOn(1 + 2 * call, block));
    await peer.ended;

    expect(countsOf(running.problems).in_flight_bytes).toBe(1);
  });

  test("are counted for an unknown method", async () => {
    const running = await runGrpcListener({ limits: { inFlightBytes: BUDGET_BYTES } });
    const session = openHttp2(running.listener.port);
    sessions.push(session);

    const stream = beginCall(session, { path: "/no.such/Method" });
    for (let piece = 0; piece < 100; piece += 1) stream.write(Buffer.alloc(16_384));
    await new Promise<void>((resolve) => void session.once("close", () => resolve()));

    expect(countsOf(running.problems).in_flight_bytes).toBe(1);
  });
});

// Goal: a process under a flood of incomplete messages stays within its memory and serves others.
// Method: a listener in its own process; four connections with 100 streams each, reopened whenever
// they are closed, try to accumulate 1.6 GB of incomplete messages there.
test("a flood of incomplete messages exhausts neither the memory nor the service", async () => {
  const flood = await floodUnfinished({ connections: 4, streams: 100, closuresToSee: 12 });

  const { closedConnections, peakBytes, codes } = flood;
  expect(closedConnections).toBeGreaterThanOrEqual(12);
  expect(new Set(codes)).toEqual(new Set([status.OK]));
  expect(peakBytes).toBeLessThan(400 * 1024 * 1024);
});
