import { afterEach, beforeEach, describe, expect, jest, spyOn, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { FairTurns, type SteppedWork } from "../../../src/adapters/listening/fair-turns.ts";
import type { GrpcRawPeer } from "../../support/grpc/grpc-raw-peer.ts";
import { PROCESS_PACE } from "../../../src/adapters/memory/collection-pace.ts";
import { CLOSING_INTERVAL_MS } from "../../../src/adapters/otlp-grpc/closing-queue.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { FRAME, grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  GRPC_TEST_LIMITS,
  runGrpcListener,
  type RunningGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

// The tests move the time: on a busy machine, the interval may be over at once.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

stopGrpcListenersAfterEach();

/** Opens a silent connection, and another one that takes its place. */
async function twoBeyondTheLimit() {
  const run = await runGrpcListener({ limits: { connections: 1 } });
  const silent = run.peer();
  while (run.listener.counts().openConnections < 1) await nextTurn();
  const next = run.peer();
  await next.greet().frame(({ type }) => type === FRAME.settings);
  return { ...run, silent, next };
}

describe("a silent connection that has made room for another", () => {
  test("is closed after the interval, and its place is taken at once", async () => {
    const { silent, listener } = await twoBeyondTheLimit();
    const before = silent.socket.readyState;

    jest.advanceTimersByTime(CLOSING_INTERVAL_MS);
    await silent.ended;

    expect(before).toBe("open");
    expect(listener.counts()).toMatchObject({ openConnections: 1, acceptedConnections: 2 });
  });

  test("has its calls answered until then", async () => {
    const run = await runGrpcListener({ limits: { connections: 1 } });
    const early = openHttp2(run.listener.port);
    while (run.listener.counts().openConnections < 1) await nextTurn();
    const next = run.peer();
    await next.greet().frame(({ type }) => type === FRAME.settings);

    const { grpcStatus } = await callHttp2(early, { pieces: [grpcMessage(requestOf(1))] });

    expect(grpcStatus).toBe(status.OK);
    early.destroy();
  });

  test.each([
    { name: "relieve()", end: (run: RunningGrpcListener) => run.listener.relieve() },
    { name: "a stop", end: (run: RunningGrpcListener) => void run.listener.stop(0) },
  ])("is closed at once by $name", async ({ end }) => {
    const run = await twoBeyondTheLimit();

    end(run);

    expect(await run.silent.ended).toBeUndefined();
  });
});

describe("a connection that is accepted in a turn without time", () => {
  test("has its calls answered in later turns", async () => {
    let nowMs = 0;
    const turns = new FairTurns({ monotonicMs: () => (nowMs += 5) });
    const { client } = await runGrpcListener({ turns });

    const { code } = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0));

    expect(code).toBe(status.OK);
  });

  test.each([
    { name: "a pause", end: (run: RunningGrpcListener) => run.listener.pause() },
    { name: "a stop", end: (run: RunningGrpcListener) => void run.listener.stop(0) },
  ])("is closed by $name if it waits because it is not the first", async ({ end }) => {
    const queued: SteppedWork[] = [];
    const turns = { hasTime: () => false, queue: (work: SteppedWork) => void queued.push(work) };
    const run = await runGrpcListener({ turns: turns as unknown as FairTurns });
    const peers: GrpcRawPeer[] = [];
    while (queued.length === 0) {
      peers.push(run.peer(), run.peer());
      await nextTurn();
    }

    end(run);
    await Promise.all(peers.map(({ ended }) => ended));
    const before = run.listener.counts().acceptedConnections;

    expect(queued[0]!.step()).toBe(false);
    expect(run.listener.counts().acceptedConnections).toBe(before);
  });
});

describe("a connection that its peer has closed", () => {
  test.each([
    { name: "8 KiB of garbage if it has sent nothing", greets: false, garbageBytes: 8 * 1024 },
    { name: "32 KiB of garbage after HTTP/2", greets: true, garbageBytes: 32 * 1024 },
  ])("leaves $name", async ({ greets, garbageBytes }) => {
    using noted = spyOn(PROCESS_PACE, "noteClosed");
    const run = await runGrpcListener();
    const peer = run.peer();
    if (greets) await peer.greet().frame(({ type }) => type === FRAME.settings);
    while (run.listener.counts().openConnections < 1) await nextTurn();

    peer.socket.end();
    while (run.listener.counts().openConnections > 0) await nextTurn();

    expect(noted.mock.calls).toEqual([[garbageBytes, 0]]);
  });

  test("needs no timer that would close it", async () => {
    const delays: number[] = [];
    const schedule: typeof SYSTEM_CLOCK.schedule = (delayMs, run) => {
      delays.push(delayMs);
      return SYSTEM_CLOCK.schedule(delayMs, run);
    };
    const run = await runGrpcListener({ clock: { ...SYSTEM_CLOCK, schedule } });
    const peer = run.peer();
    while (run.listener.counts().openConnections < 1) await nextTurn();

    peer.socket.end();
    while (run.listener.counts().openConnections > 0) await nextTurn();

    expect(delays).toEqual([GRPC_TEST_LIMITS.firstRequestMs]);
  });
});
