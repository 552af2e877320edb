import { describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import type { GrpcRawPeer, ReceivedFrame } from "../../support/grpc/grpc-raw-peer.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

stopGrpcListenersAfterEach();

/** A whole export of no spans. */
function exportOn(peer: GrpcRawPeer, streamId: number): void {
  const flags = FLAG.endHeaders;
  peer.send(
    frame({ type: FRAME.headers, flags, streamId }, callHeaders(EXPORT_PATH)),
    frame({ type: FRAME.data, flags: FLAG.endStream, streamId }, messagePrefix(0)),
  );
}

function answerOn(peer: GrpcRawPeer, streamId: number) {
  return peer.frame(
    (received) => received.streamId === streamId && received.type === FRAME.headers,
  );
}

/** The server has read what the peer sent before: settings come when a session exists. */
function greeting(peer: GrpcRawPeer) {
  return peer.greet().frame(({ type }) => type === FRAME.settings);
}

describe("more connections than there may be", () => {
  test.each([
    { limits: { connections: 2 }, reason: "too_many_connections" as const },
    { limits: { connectionsPerAddress: 2 }, reason: "too_many_connections_per_address" as const },
  ])("are closed, and counted and logged as $reason", async ({ limits, reason }) => {
    const { peer, listener, logger, problems } = await runGrpcListener({ limits });
    const [first, second] = [peer(), peer()];
    await Promise.all([greeting(first), greeting(second)]);

    const third = peer();
    await third.ended;
    exportOn(second, 1);
    await answerOn(second, 1);

    expect(countsOf(problems)).toEqual({ [reason]: 1 });
    expect(listener.counts().openConnections).toBe(2);
    expect(logger.lines).toMatchObject([
      { level: "warning", fields: { protocol: "grpc", reason, count: 1, address: "127.0.0.1" } },
    ]);
  });

  test("are taken again when one has closed", async () => {
    const { peer, client, listener } = await runGrpcListener({ limits: { connections: 1 } });
    const first = peer();
    await greeting(first);

    first.socket.end();
    await first.ended;
    const end = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect(end.code).toBe(status.OK);
    expect(listener.counts().openConnections).toBe(1);
  });
});

describe("the first request", () => {
  test.each([
    { name: "says nothing", speak: (_peer: GrpcRawPeer) => {} },
    { name: "only greets", speak: (peer: GrpcRawPeer) => peer.greet() },
  ])("a peer that $name is closed when its time is up", async ({ speak }) => {
    const { peer, logger, problems } = await runGrpcListener({ limits: { firstRequestMs: 50 } });
    const silent = peer();

    speak(silent);
    await silent.ended;

    expect(countsOf(problems)).toEqual({ first_request_timeout: 1 });
    expect(logger.lines).toMatchObject([{ fields: { reason: "first_request_timeout", count: 1 } }]);
  });

  test("a peer that made one may be silent after it", async () => {
    const { peer, problems } = await runGrpcListener({ limits: { firstRequestMs: 100 } });
    const busy = peer().greet();
    exportOn(busy, 1);
    await answerOn(busy, 1);

    // Accepted later, so its time is up later.
    await peer().ended;
    exportOn(busy, 3);
    await answerOn(busy, 3);

    expect(countsOf(problems)).toEqual({ first_request_timeout: 1 });
  });

  test("a peer that has gone before is nobody's fault", async () => {
    const { peer, logger, problems } = await runGrpcListener({ limits: { firstRequestMs: 50 } });
    const gone = peer();
    await greeting(gone);

    gone.socket.end();
    await gone.ended;
    await peer().ended;

    expect(countsOf(problems)).toEqual({ first_request_timeout: 1 });
    expect(logger.lines).toHaveLength(1);
  });
});

function goAway({ type }: ReceivedFrame): boolean {
  return type === FRAME.goAway;
}

describe("connections that last", () => {
  test("are closed when idle", async () => {
    const { peer } = await runGrpcListener({ limits: { idleMs: 50 } });
    const idle = peer().greet();
    exportOn(idle, 1);

    const farewell = await idle.frame(goAway);
    await idle.ended;

    const noError = 0;
    expect(farewell.payload.readUInt32BE(4)).toBe(noError);
  });

  test("are not idle while a call goes on", async () => {
    const { peer } = await runGrpcListener({ limits: { idleMs: 50 } });
    const [busy, idle] = [peer().greet(), peer().greet()];
    busy.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));

    await idle.ended;
    busy.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));

    expect((await answerOn(busy, 1)).streamId).toBe(1);
  });

  test("are closed when they answer no ping", async () => {
    const { peer } = await runGrpcListener({ limits: { keepaliveMs: 30, keepaliveTimeoutMs: 30 } });
    const deaf = peer().greet();

    await deaf.frame(({ type }) => type === FRAME.ping);
    await deaf.ended;

    expect(deaf.frames.some(goAway)).toBe(true);
  });

  test("are asked to go when they are old, and their calls are finished", async () => {
    const { peer } = await runGrpcListener({ limits: { connectionAgeMs: 50 } });
    const old = peer().greet();
    old.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));

    await old.frame(goAway);
    old.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));
    await answerOn(old, 1);
    await old.ended;

    expect(old.frames.filter(goAway).length).toBeGreaterThan(0);
  });

  test("are closed in the end, also when the peer never closes its side", async () => {
    const { peer, listener } = await runGrpcListener({ limits: { idleMs: 30 } });
    const rude = peer().greet();
    exportOn(rude, 1);
    await rude.ended;

    // Ends when the last connection has, and has an hour for it.
    await listener.stop(3_600_000);

    expect(listener.counts().openConnections).toBe(0);
  });
});

const HEADERS = callHeaders(EXPORT_PATH);

test("more streams than a connection may have are refused, one by one", async () => {
  const { peer } = await runGrpcListener({ limits: { streamsPerConnection: 2 } });
  const greedy = peer().greet();

  for (const streamId of [1, 3, 5]) {
    greedy.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId }, HEADERS));
  }
  const reset = await greedy.frame(({ type }) => type === FRAME.resetStream);
  greedy.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));
  await answerOn(greedy, 1);

  const refusedStream = 7;
  expect(reset.streamId).toBe(5);
  expect(reset.payload.readUInt32BE(0)).toBe(refusedStream);
});
