import { describe, expect, test } from "bun:test";
import { FrameMeter, MAX_OVERHEAD } from "../../../src/adapters/otlp-grpc/frame-meter.ts";
import { FLAG, frame, FRAME, PREFACE } from "../../support/grpc/grpc-wire.ts";

const KIB = 1024;

function createMeter() {
  let nowMs = 0;
  const farewells: number[] = [];
  const meter = new FrameMeter({ monotonicMs: () => nowMs }, () => farewells.push(nowMs));
  const pass = (ms: number): void => void (nowMs += ms);
  /** Reads the bytes in pieces of this size, each to its end. */
  const read = (bytes: Uint8Array, size = bytes.length): void => {
    for (let from = 0; from < bytes.length; from += size) {
      const piece = bytes.subarray(from, from + size);
      for (let at = 0; at < piece.length;) at = meter.stepEnd(piece, at);
    }
  };
  read(PREFACE);
  return { meter, pass, read, farewells };
}

const data = (length: number, flags = 0) =>
  frame({ type: FRAME.data, streamId: 1, flags }, Buffer.alloc(length));

function times(bytes: Uint8Array, count: number): Buffer {
  return Buffer.concat(Array<Uint8Array>(count).fill(bytes));
}

test.each([8 + 9, 1])("GOAWAY is reported once, in pieces of %d bytes", (size) => {
  const { farewells, read } = createMeter();

  read(data(100), size);
  const before = farewells.length;
  read(frame({ type: FRAME.goAway }, Buffer.alloc(8)), size);

  expect([before, farewells.length]).toEqual([0, 1]);
});

describe("a step", () => {
  test("ends after 64 frames", () => {
    const { meter } = createMeter();

    expect(meter.stepEnd(times(data(1), 100), 0)).toBe(64 * 10 - 1);
  });

  test("ends after 64 KiB", () => {
    const { meter } = createMeter();

    expect(meter.stepEnd(times(data(16 * KIB), 10), 0)).toBe(64 * KIB);
  });

  test("is everything if it is less", () => {
    const { meter } = createMeter();
    const bytes = times(data(100), 3);

    expect(meter.stepEnd(bytes, 0)).toBe(bytes.length);
  });
});

describe("frames in excess", () => {
  test.each([
    { kind: "DATA of one byte", bytes: data(1), each: 1 },
    { kind: "empty DATA", bytes: data(0), each: 1 },
    { kind: "PING", bytes: frame({ type: FRAME.ping }, Buffer.alloc(8)), each: 1 },
    { kind: "SETTINGS", bytes: frame({ type: FRAME.settings }), each: 1 },
    { kind: "PRIORITY", bytes: frame({ type: 2, streamId: 1 }, Buffer.alloc(5)), each: 1 },
    { kind: "CONTINUATION", bytes: frame({ type: FRAME.continuation, streamId: 1 }), each: 1 },
    { kind: "an unknown type", bytes: frame({ type: 0xee }, Buffer.alloc(8)), each: 1 },
    {
      kind: "RST_STREAM",
      bytes: frame({ type: FRAME.resetStream, streamId: 1 }, Buffer.alloc(4)),
      each: 10,
    },
  ])("$kind: they are counted as $each", ({ bytes, each }) => {
    const { meter, read } = createMeter();

    read(times(bytes, MAX_OVERHEAD / each));
    const before = meter.isExcessive();
    read(bytes);

    expect([before, meter.isExcessive()]).toEqual([false, true]);
  });

  test.each([1, 2, 5, 9, 10, 11])("are counted in pieces of %d bytes", (size) => {
    const { meter, read } = createMeter();
    const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));

    read(times(ping, MAX_OVERHEAD), size);
    const before = meter.isExcessive();
    read(ping, size);

    expect([before, meter.isExcessive()]).toEqual([false, true]);
  });

  test("are counted although DATA ends a call that has ended", () => {
    const { meter, read } = createMeter();
    read(frame({ type: FRAME.headers, streamId: 1, flags: FLAG.endHeaders }));

    read(times(data(0, 1), MAX_OVERHEAD + 10));

    expect(meter.isExcessive()).toBe(true);
  });

  test("are allowed at a rate of 200 a second", () => {
    const { meter, pass, read } = createMeter();
    read(times(data(1), MAX_OVERHEAD + 200));

    pass(999);
    const before = meter.isExcessive();
    pass(1);

    expect([before, meter.isExcessive()]).toEqual([true, false]);
  });
});

describe("are not in excess", () => {
  test("pieces of a message of at least 256 bytes", () => {
    const { meter, read } = createMeter();

    read(times(data(256), 10 * MAX_OVERHEAD));

    expect(meter.isExcessive()).toBe(false);
  });

  test("calls, each of a few small frames with others around it", () => {
    const { meter, read } = createMeter();
    const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));
    const call = Buffer.concat([data(5), data(20), times(ping, 6), data(0, 1)]);

    for (let streamId = 1; streamId < 2 * MAX_OVERHEAD; streamId += 2) {
      const headers = frame({ type: FRAME.headers, streamId, flags: FLAG.endHeaders });
      read(Buffer.concat([headers, call]));
    }

    expect(meter.isExcessive()).toBe(false);
  });
});
