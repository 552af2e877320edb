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

// The tests move the time: on a busy machine a peer may exceed any limit of real time.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

stopGrpcListenersAfterEach();

const LIMIT_MS = 10;
const { firstRequestMs } = GRPC_TEST_LIMITS;

/** Sends a complete export without spans. */
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

/** Resolves when the server has created a session, which its settings prove. */
function greeting(peer: GrpcRawPeer) {
  return peer.greet().frame(({ type }) => type === FRAME.settings);
}

describe("connections beyond a limit", () => {
  test.each([
    { limits: { connections: 2 }, reason: "too_many_connections" as const },
    { limits: { connectionsPerAddress: 2 }, reason: "too_many_connections_per_address" as const },
  ])("are closed, counted and logged as $reason", async ({ limits, reason }) => {
    const { peer, listener, logger, problems } = await runGrpcListener({ limits });
    const [first, second] = [peer().greet(), peer().greet()];
    for (const each of [first, second]) exportOn(each, 1);
    await Promise.all([answerOn(first, 1), answerOn(second, 1)]);

    const third = peer();
    await third.ended;
    exportOn(second, 3);
    await answerOn(second, 3);

    expect(countsOf(problems)).toEqual({ [reason]: 1 });
    expect(listener.counts().openConnections).toBe(2);
    expect(logger.lines).toMatchObject([
      { level: "warning", fields: { protocol: "grpc", reason, count: 1, address: "127.0.0.1" } },
    ]);
  });

  test("are accepted again after one has closed", async () => {
    const { peer, client, listener } = await runGrpcListener({ limits: { connections: 1 } });
    const first = peer();
    await greeting(first);

    first.socket.end();
    await first.ended;
    const end = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect(end.code).toBe(status.OK);
    expect(listener.counts()).toMatchObject({ openConnections: 1, acceptedConnections: 2 });
  });
});

/** Resolves when the server has this number of open connections. */
async function connections({ listener }: RunningGrpcListener, count: number): Promise<void> {
  while (listener.counts().openConnections !== count) await nextTurn();
}

describe("the limit for the first request", () => {
  test.each([
    { name: "sends nothing", speak: async (_peer: GrpcRawPeer) => {} },
    { name: "only sends the preface", speak: greeting },
  ])("closes a peer that $name", async ({ speak }) => {
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

  test("does not apply to later requests", async () => {
    const { peer, problems } = await runGrpcListener();
    const busy = peer().greet();
    exportOn(busy, 1);
    await answerOn(busy, 1);

    jest.advanceTimersByTime(firstRequestMs);
    exportOn(busy, 3);
    await answerOn(busy, 3);

    expect(countsOf(problems)).toEqual({});
  });

  test("reports no problem if the peer disconnects earlier", async () => {
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

/** Resolves when the server has read everything that the peer has sent. */
async function readByServer(peer: GrpcRawPeer): Promise<void> {
  const before = peer.frames.length;
  peer.send(frame({ type: FRAME.ping, flags: 0 }, Buffer.alloc(8)));
  await peer.frame(
    (received) => received.type === FRAME.ping && !peer.frames.slice(0, before).includes(received),
  );
}

/** Moves the time, turn by turn, until the promise has settled. */
async function moveTimeUntil(happened: Promise<unknown>): Promise<void> {
  const end = { isReached: false };
  void happened.finally(() => (end.isReached = true));
  while (!end.isReached) {
    jest.advanceTimersByTime(LIMIT_MS);
    await nextTurn();
  }
}

/** Returns limits of which only this one can be reached during a test. */
function only(limit: "idleMs" | "keepaliveMs" | "connectionAgeMs") {
  const far = 2 ** 30;
  const others = { firstRequestMs: far, idleMs: far, keepaliveMs: far, connectionAgeMs: far };
  return { limits: { ...others, [limit]: LIMIT_MS } };
}

describe("long-lived connections", () => {
  test("are closed when idle", async () => {
    const { peer } = await runGrpcListener(only("idleMs"));
    const idle = peer().greet();
    exportOn(idle, 1);
    await answerOn(idle, 1);

    await moveTimeUntil(idle.ended);

    const noError = 0;
    expect(idle.frames.find(goAway)!.payload.readUInt32BE(4)).toBe(noError);
  });

  test("are not idle during a call", async () => {
    const { peer } = await runGrpcListener(only("idleMs"));
    const [busy, idle] = [peer().greet(), peer().greet()];
    busy.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));
    await Promise.all([readByServer(busy), readByServer(idle)]);

    await moveTimeUntil(idle.ended);
    busy.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));

    expect((await answerOn(busy, 1)).streamId).toBe(1);
  });

  test("are closed if they do not answer a ping", async () => {
    const { peer } = await runGrpcListener(only("keepaliveMs"));
    const silent = peer();
    await greeting(silent);

    jest.advanceTimersByTime(LIMIT_MS);
    await silent.frame(({ type }) => type === FRAME.ping);
    const before = silent.frames.some(goAway);
    await moveTimeUntil(silent.ended);

    expect([before, silent.frames.some(goAway)]).toEqual([false, true]);
  });

  test("receive GOAWAY at their maximum age, after which their calls finish", async () => {
    const { peer } = await runGrpcListener(only("connectionAgeMs"));
    const old = peer().greet();
    old.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 }, HEADERS));
    await readByServer(old);

    await moveTimeUntil(old.frame(goAway));
    old.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));
    await answerOn(old, 1);
    await moveTimeUntil(old.ended);

    expect(old.frames.filter(goAway).length).toBeGreaterThan(0);
  });

  test("are closed even if the peer never closes its side", async () => {
    const run = await runGrpcListener(only("idleMs"));
    const lingering = run.peer().greet();
    exportOn(lingering, 1);
    await answerOn(lingering, 1);
    await moveTimeUntil(lingering.ended);

    await moveTimeUntil(connections(run, 0));
    // The grace period is an hour, and the time stands still.
    await run.listener.stop(3_600_000);

    expect(run.listener.counts().openConnections).toBe(0);
  });
});

const HEADERS = callHeaders(EXPORT_PATH);

test("streams beyond the limit of a connection are refused one by one", async () => {
  const { peer } = await runGrpcListener({ limits: { streamsPerConnection: 2 } });
  const busy = peer().greet();

  for (const streamId of [1, 3, 5]) {
    busy.send(frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId }, HEADERS));
  }
  const reset = await busy.frame(({ type }) => type === FRAME.resetStream);
  busy.send(frame({ type: FRAME.data, flags: FLAG.endStream, streamId: 1 }, messagePrefix(0)));
  await answerOn(busy, 1);

  const refusedStream = 7;
  expect(reset.streamId).toBe(5);
  expect(reset.payload.readUInt32BE(0)).toBe(refusedStream);
});

describe("a pause", () => {
  test("refuses new connections, closes unused ones, and keeps the others open", async () => {
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

  test("ends on the same port, and a second resume() has no effect", async () => {
    const { client, listener } = await runGrpcListener();
    listener.pause();

    await listener.resume();
    await listener.resume();
    const end = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect(end.code).toBe(status.OK);
  });

  test("does not end after a stop", async () => {
    const { peer, listener } = await runGrpcListener();
    listener.pause();

    await listener.stop(0);
    const refused = peer();
    await refused.ended;

    expect(refused.frames).toEqual([]);
  });
});

test("relieve() closes silent connections while new ones are accepted", async () => {
  const { peer, listener } = await runGrpcListener();
  const silent = peer();
  await greeting(peer());

  listener.relieve();
  await silent.ended;
  const next = peer();
  await greeting(next);

  expect(next.frames.length).toBeGreaterThan(0);
});
