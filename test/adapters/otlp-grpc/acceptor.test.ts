import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import type { GrpcRawPeer, ReceivedFrame } from "../../support/grpc/grpc-raw-peer.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  GRPC_TEST_LIMITS,
  runGrpcListener,
  type RunningGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

// Time passes when a test says so: on a busy machine a peer may take longer than any limit.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

stopGrpcListenersAfterEach();

const LIMIT_MS = 10;
const { firstRequestMs } = GRPC_TEST_LIMITS;

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

/** The server has as many connections open. */
async function connections({ listener }: RunningGrpcListener, count: number): Promise<void> {
  while (listener.counts().openConnections !== count) await nextTurn();
}

describe("the first request", () => {
  test.each([
    { name: "says nothing", speak: async (_peer: GrpcRawPeer) => {} },
    { name: "only greets", speak: greeting },
  ])("a peer that $name is closed when its time is up", async ({ speak }) => {
    const run = await runGrpcListener();
    const silent = run.peer();
    await speak(silent);
    await connections(run, 1);

    jest.advanceTimersByTime(firstRequestMs - 1);
    const before = { ...countsOf(run.problems) };
    jest.advanceTimersByTime(1);
    await silent.ended;

    expect([before, countsOf(run.problems)]).toEqual([{}, { first_request_timeout: 1 }]);
    expect(run.logger.lines).toMatchObject([
      { fields: { reason: "first_request_timeout", count: 1 } },
    ]);
  });

  test("a peer that made one may be silent after it", async () => {
    const { peer, problems } = await runGrpcListener();
    const busy = peer().greet();
    exportOn(busy, 1);
    await answerOn(busy, 1);

    jest.advanceTimersByTime(firstRequestMs);
    exportOn(busy, 3);
    await answerOn(busy, 3);

    expect(countsOf(problems)).toEqual({});
  });

  test("a peer that disconnects before then is not a problem", async () => {
    const run = await runGrpcListener();
    const gone = run.peer();
    await greeting(gone);

    gone.socket.end();
    await connections(run, 0);
    jest.advanceTimersByTime(firstRequestMs);

    expect(countsOf(run.problems)).toEqual({});
    expect(run.logger.lines).toEqual([]);
  });
});

function goAway({ type }: ReceivedFrame): boolean {
  return type === FRAME.goAway;
}

/** The server has read all that the peer sent before. */
async function heard(peer: GrpcRawPeer): Promise<void> {
  const before = peer.frames.length;
  peer.send(frame({ type: FRAME.ping, flags: 0 }, Buffer.alloc(8)));
  await peer.frame(
    (received) => received.type === FRAME.ping && !peer.frames.slice(0, before).includes(received),
  );
}

/** Time passes, turn by turn, until this has happened. */
async function passUntil(happened: Promise<unknown>): Promise<void> {
  const end = { isReached: false };
  void happened.finally(() => (end.isReached = true));
  while (!end.isReached) {
    jest.advanceTimersByTime(LIMIT_MS);
    await nextTurn();
  }
}

/** In all the time that passes in a test no other limit of time is reached. */
function only(limit: "idleMs" | "keepaliveMs" | "connectionAgeMs") {
  const far = 2 ** 30;
  const others = { firstRequestMs: far, idleMs: far, keepaliveMs: far, connectionAgeMs: far };
  return { limits: { ...others, [limit]: LIMIT_MS } };
}

describe("connections that last", () => {
  test("are closed when idle", async () => {
    const { peer } = await runGrpcListener(only("idleMs"));
    const idle = peer().greet();
    exportOn(idle, 1);
    await answerOn(idle, 1);

    await passUntil(idle.ended);

    const noError = 0;
    expect(idle.frames.find(goAway)!.payload.readUInt32BE(4)).toBe(noError);
  });

  test("are not idle while a call goes on", async () => {
    const { peer } = await runGrpcListener(only("idleMs"));
    const [busy, idle] = [peer().greet(), peer().greet()];
    busy.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));
    await Promise.all([heard(busy), heard(idle)]);

    await passUntil(idle.ended);
    busy.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));

    expect((await answerOn(busy, 1)).streamId).toBe(1);
  });

  test("are closed when they answer no ping", async () => {
    const { peer } = await runGrpcListener(only("keepaliveMs"));
    const deaf = peer();
    await greeting(deaf);

    jest.advanceTimersByTime(LIMIT_MS);
    await deaf.frame(({ type }) => type === FRAME.ping);
    const before = deaf.frames.some(goAway);
    await passUntil(deaf.ended);

    expect([before, deaf.frames.some(goAway)]).toEqual([false, true]);
  });

  test("are asked to go when they are old, and their calls are finished", async () => {
    const { peer } = await runGrpcListener(only("connectionAgeMs"));
    const old = peer().greet();
    old.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));
    await heard(old);

    await passUntil(old.frame(goAway));
    old.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));
    await answerOn(old, 1);
    await passUntil(old.ended);

    expect(old.frames.filter(goAway).length).toBeGreaterThan(0);
  });

  test("are closed in the end, also when the peer never closes its side", async () => {
    const run = await runGrpcListener(only("idleMs"));
    const rude = run.peer().greet();
    exportOn(rude, 1);
    await answerOn(rude, 1);
    await passUntil(rude.ended);

    await passUntil(connections(run, 0));
    // Has an hour for what is left, and no time passes.
    await run.listener.stop(3_600_000);

    expect(run.listener.counts().openConnections).toBe(0);
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

describe("a pause", () => {
  test("refuses new connections, closes unused ones, and leaves the others open", async () => {
    const { peer, listener } = await runGrpcListener();
    const [busy, silent] = [peer().greet(), peer()];
    exportOn(busy, 1);
    await answerOn(busy, 1);

    listener.pause();
    await silent.ended;
    const refused = peer();
    await refused.ended;
    exportOn(busy, 3);
    await answerOn(busy, 3);

    expect(refused.frames).toEqual([]);
    expect(listener.counts().openConnections).toBe(1);
  });

  test("ends on the same port, and ending it twice changes nothing", async () => {
    const { client, listener } = await runGrpcListener();
    listener.pause();

    await listener.resume();
    await listener.resume();
    const end = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect(end.code).toBe(status.OK);
  });

  test("is over for good when it stops", async () => {
    const { peer, listener } = await runGrpcListener();
    listener.pause();

    await listener.stop(0);
    const refused = peer();
    await refused.ended;

    expect(refused.frames).toEqual([]);
  });
});

test("who is silent can be sent away while others are let in", async () => {
  const { peer, listener } = await runGrpcListener();
  const silent = peer();
  await greeting(peer());

  listener.relieve();
  await silent.ended;
  const next = peer();
  await greeting(next);

  expect(next.frames.length).toBeGreaterThan(0);
});
