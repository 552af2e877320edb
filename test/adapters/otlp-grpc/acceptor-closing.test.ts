import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { FairTurns, type SteppedWork } from "../../../src/adapters/listening/fair-turns.ts";
import { CLOSING_INTERVAL_MS } from "../../../src/adapters/otlp-grpc/closing-queue.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { FRAME, grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
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
  ])("is closed by $name while it waits", async ({ end }) => {
    const queued: SteppedWork[] = [];
    const turns = { hasTime: () => false, queue: (work: SteppedWork) => void queued.push(work) };
    const run = await runGrpcListener({ turns: turns as unknown as FairTurns });
    const waiting = run.peer();
    while (queued.length === 0) await nextTurn();

    end(run);
    await waiting.ended;

    expect(queued[0]!.step()).toBe(false);
    expect(run.listener.counts()).toMatchObject({ openConnections: 0, acceptedConnections: 0 });
  });
});
