import { expect, test } from "bun:test";
import type { Http2Session } from "node:http2";
import { Socket } from "node:net";
import { Connection } from "../../../src/adapters/otlp-grpc/connection-table.ts";
import { IdleConnections } from "../../../src/adapters/otlp-grpc/idle-connections.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

const IDLE_MS = 1_000;

function watch() {
  const clock = new HandMovedClock();
  const connection = new Connection(new Socket(), () => {});
  const ends: string[] = [];
  connection.begin({ close: () => ends.push("closed") } as unknown as Http2Session);
  const idle = new IdleConnections([connection], IDLE_MS, clock);
  return { clock, connection, idle, ends };
}

test("a connection is closed after the time without a call, or a tenth more", () => {
  const { clock, ends } = watch();

  clock.moveMs(IDLE_MS);
  const before = ends.length;
  clock.moveMs(IDLE_MS / 10);

  expect([before, ends]).toEqual([0, ["closed"]]);
});

test("a call in progress keeps its connection open", () => {
  const { clock, connection, ends } = watch();

  connection.callBegan();
  clock.moveMs(5 * IDLE_MS);

  expect(ends).toEqual([]);
});

test("the time begins again when a call begins, and when the last one ends", () => {
  const { clock, connection, ends } = watch();

  clock.moveMs(IDLE_MS);
  connection.callBegan();
  clock.moveMs(IDLE_MS);
  connection.callEnded();
  clock.moveMs(IDLE_MS);
  const before = ends.length;
  clock.moveMs(IDLE_MS / 10);

  expect([before, ends]).toEqual([0, ["closed"]]);
});

test("a connection that has never had a call is closed as well", async () => {
  const clock = new HandMovedClock();
  const connection = new Connection(new Socket(), () => {});
  const idle = new IdleConnections([connection], IDLE_MS, clock);

  clock.moveMs(1.1 * IDLE_MS);
  await connection.closed;
  idle[Symbol.dispose]();

  expect(connection.socket.destroyed).toBe(true);
});

test("nothing is scheduled after the end", () => {
  const { clock, idle } = watch();
  const before = clock.pendingActions;

  idle[Symbol.dispose]();

  expect([before, clock.pendingActions]).toEqual([1, 0]);
});
