import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { FairTurns, type SteppedWork } from "../../../src/adapters/listening/fair-turns.ts";
import { SenderTurns } from "../../../src/adapters/listening/sender-turns.ts";
import { MAX_OVERHEAD } from "../../../src/adapters/otlp-grpc/frame-meter.ts";
import { PacedSocket } from "../../../src/adapters/otlp-grpc/paced-socket.ts";
import { frame, FRAME, PREFACE } from "../../support/grpc/grpc-wire.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const STEP_BYTES = 64 * 1024;

/** A socket without a network, which remembers whether it is paused. */
class FakeSocket extends EventEmitter {
  readableLength = 0;
  writableLength = 0;
  writableNeedDrain = false;
  destroyed = false;
  isPaused = false;
  readonly written: Buffer[] = [];

  write(bytes: Buffer): void {
    this.written.push(bytes);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

/** A turn has no time left unless `hasTime` is set, and its address has had its first step. */
function createPaced({ hasTime, isFirst = false }: { hasTime: boolean; isFirst?: boolean }) {
  const socket = new FakeSocket();
  const passed: number[] = [];
  const held: number[] = [];
  const excessive: true[] = [];
  let nowMs = 0;
  const clock = { monotonicMs: () => (hasTime ? 0 : (nowMs += 5)) };
  const turns = new FairTurns(clock);
  const withoutFirst = {
    mayStep: () => turns.hasTime(),
    queue: (work: SteppedWork) => turns.queue(work),
  };
  const paced = new PacedSocket(socket as unknown as Socket, {
    turns: isFirst ? new SenderTurns(turns) : withoutFirst,
    clock: { monotonicMs: () => 0 },
    held: (bytes) => held.push(bytes),
    excessive: () => excessive.push(true),
    leaving: () => {},
  });
  paced.on("data", (bytes: Buffer) => passed.push(bytes.length));
  const receive = (bytes: Uint8Array) => socket.emit("data", Buffer.from(bytes));
  return { socket, passed, held, excessive, receive };
}

const DATA = frame({ type: FRAME.data, streamId: 1 }, Buffer.alloc(2 ** 17));
const LONG = Buffer.concat([PREFACE, DATA]);
const STEPS = [STEP_BYTES, STEP_BYTES, LONG.length - 2 * STEP_BYTES];

describe("what has arrived", () => {
  test("is passed on at once while there is time", () => {
    const { passed, socket, receive } = createPaced({ hasTime: true });

    receive(LONG);

    expect(passed).toEqual(STEPS);
    expect(socket.isPaused).toBe(false);
  });

  test("is passed on in later turns otherwise, in steps, with a paused socket", async () => {
    const { passed, socket, receive } = createPaced({ hasTime: false });

    receive(LONG);
    const before = { passed: [...passed], isPaused: socket.isPaused };
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();

    expect(before).toEqual({ passed: [], isPaused: true });
    expect(passed).toEqual(STEPS);
    expect(socket.isPaused).toBe(false);
  });

  test("is passed on at once, up to a step, if it is the first of its address", () => {
    const { passed, socket, receive } = createPaced({ hasTime: false, isFirst: true });

    receive(LONG);

    expect(passed).toEqual([STEP_BYTES]);
    expect(socket.isPaused).toBe(true);
  });

  test("is counted while it waits, with what the socket holds in both directions", async () => {
    const { held, socket, receive } = createPaced({ hasTime: false });
    socket.readableLength = 5;
    socket.writableLength = 7;

    receive(LONG);
    socket.readableLength = 0;
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();

    expect(held).toEqual([LONG.length + 12, LONG.length + 7, 7]);
  });

  test("is counted with what arrives in the turn in which the socket is paused", async () => {
    const { held, socket, receive } = createPaced({ hasTime: false });

    receive(LONG);
    socket.readableLength = 100_000;
    await nextTurn();

    expect([held[0], Math.max(...held) > LONG.length]).toEqual([LONG.length, true]);
  });

  test("is not counted any more once the socket is destroyed", async () => {
    const { held, socket, receive } = createPaced({ hasTime: false });

    receive(LONG);
    socket.destroyed = true;
    await nextTurn();

    expect(held).toEqual([LONG.length]);
  });

  test("is not passed on once the socket is destroyed", async () => {
    const { passed, socket, receive } = createPaced({ hasTime: false });

    receive(LONG);
    socket.destroyed = true;
    await nextTurn();

    expect(passed).toEqual([]);
  });
});

describe("a peer that does not read", () => {
  test("is not read either, until it does", async () => {
    const { passed, socket, receive } = createPaced({ hasTime: true });
    socket.writableNeedDrain = true;

    receive(LONG);
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    const before = [...passed];
    socket.writableNeedDrain = false;
    socket.emit("drain");
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();

    expect(before).toEqual([]);
    expect(passed).toEqual(STEPS);
  });
});

test("what waits when the socket is closed is freed", async () => {
  const { socket } = createPaced({ hasTime: false });
  const bytes = Buffer.alloc(LONG.length);

  socket.emit("data", bytes);
  const before = bytes.length;
  socket.emit("close");
  await nextTurn();

  expect([before, bytes.length]).toEqual([LONG.length, 0]);
});

test("what waits when there are frames in excess is freed", () => {
  const { socket, excessive } = createPaced({ hasTime: true });
  const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));
  const flood = Buffer.concat([PREFACE, ...Array<Buffer>(2 * MAX_OVERHEAD).fill(ping)]);
  const bytes = Buffer.alloc(flood.length);
  bytes.set(flood);

  socket.emit("data", bytes);

  expect([excessive, bytes.length]).toEqual([[true], 0]);
});

test("frames in excess are reported and not passed on, and the peer is asked to be calm", () => {
  const { passed, excessive, socket, receive } = createPaced({ hasTime: true });
  const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));

  receive(Buffer.concat([PREFACE, frame({ type: FRAME.headers, streamId: 70_001 })]));
  receive(Buffer.concat(Array<Buffer>(MAX_OVERHEAD + 1).fill(ping)));

  expect(excessive.length).toBe(1);
  expect(passed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MAX_OVERHEAD * ping.length);
  const last = [0, 1, 0x11, 0x71];
  const enhanceYourCalm = [0, 0, 0, 11];
  const payload = Buffer.from([...last, ...enhanceYourCalm]);
  expect(socket.written).toEqual([frame({ type: FRAME.goAway }, payload)]);
});

test("what is written in one turn of the event loop is sent together, at its end", async () => {
  const sent: number[] = [];
  const socket = new Writable({
    writev: (pieces, done) => {
      sent.push(pieces.length);
      done();
    },
  });
  const paced = new PacedSocket(socket as Socket, {
    turns: new SenderTurns(new FairTurns({ monotonicMs: () => 0 })),
    clock: { monotonicMs: () => 0 },
    held: () => {},
    excessive: () => {},
    leaving: () => {},
  });

  for (const turn of [
    ["headers", "message", "trailers"],
    ["headers", "trailers"],
  ]) {
    for (const piece of turn) paced.write(Buffer.from(piece));
    await nextTurn();
  }

  expect(sent).toEqual([3, 2]);
});
