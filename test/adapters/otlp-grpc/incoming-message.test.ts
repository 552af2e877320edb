import { describe, expect, test } from "bun:test";
import { array, assert, nat, property, uint8Array } from "fast-check";
import { IncomingMessage } from "../../../src/adapters/otlp-grpc/incoming-message.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";

const MAX_BYTES = 10_000_000;

/** Returns a copy in memory of its own, like a piece from HTTP/2. */
function own(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function assemble(pieces: readonly Buffer[]): IncomingMessage {
  const message = new IncomingMessage(MAX_BYTES);
  for (const piece of pieces) message.add(piece);
  return message;
}

function cut(bytes: Buffer, ...cuts: number[]): Buffer[] {
  const ends = [...cuts.toSorted((one, other) => one - other), bytes.length];
  return ends.map((end, at) => own(bytes.subarray(ends[at - 1] ?? 0, end)));
}

test("a message in any pieces is assembled unchanged, with its flag", () => {
  const bytes = uint8Array({ maxLength: 20_000 });
  const cuts = array(nat(20_005), { maxLength: 12 });
  assert(
    property(bytes, cuts, nat(255), (body, places, flag) => {
      const sent = grpcMessage(body, flag);
      const within = places.map((place) => Math.min(place, sent.length));

      const message = assemble(cut(sent, ...within));

      expect([message.isWhole, message.isFollowed]).toEqual([true, false]);
      expect(message.read("gzip")).toEqual({ flag, encoding: "gzip", bytes: Buffer.from(body) });
    }),
  );
});

test("a message that is larger than the first room is assembled unchanged", () => {
  const body = Buffer.alloc(3_000_000, "spans of many names ");
  const cuts = Array.from({ length: 182 }, (_, at) => 16_384 * (at + 1));

  const message = assemble(cut(grpcMessage(body), ...cuts));

  expect(message.read(undefined).bytes.equals(body)).toBe(true);
});

test("a message that announces more than it sends takes a fraction of that", () => {
  const message = assemble([own(messagePrefix(4_000_000)), own(Buffer.alloc(100_000))]);

  expect(message.isWhole).toBe(false);
  expect(message.read(undefined).bytes.length).toBe(256 * 1024);
});

describe("memory", () => {
  const body = Buffer.alloc(50_000, 7);

  test("of a piece that is copied is freed at once", () => {
    const pieces = cut(grpcMessage(body), 20_000);

    assemble(pieces);

    expect(pieces.map(({ length }) => length)).toEqual([0, 0]);
  });

  test("of a message in one piece is that of the piece", () => {
    const piece = own(grpcMessage(body));

    const { bytes } = assemble([piece]).read(undefined);

    expect(bytes.buffer).toBe(piece.buffer);
  });

  test.each([
    { name: "one piece", cuts: [] },
    { name: "several pieces", cuts: [20_000] },
  ])("of a message in $name is freed by release()", ({ cuts }) => {
    const message = assemble(cut(grpcMessage(body), ...cuts));
    const { bytes } = message.read(undefined);

    message.release();

    expect(bytes.length).toBe(0);
    expect(message.read(undefined).bytes.length).toBe(0);
  });
});

describe("bytes after the message", () => {
  test.each([
    { name: "in the same piece", cuts: [] },
    { name: "in a later piece", cuts: [15] },
  ])("$name are noticed and dropped", ({ cuts }) => {
    const body = Buffer.alloc(10, 7);

    const message = assemble(cut(Buffer.concat([grpcMessage(body), Buffer.of(1, 2)]), ...cuts));

    expect([message.isWhole, message.isFollowed]).toEqual([true, true]);
    expect(message.read(undefined).bytes).toEqual(body);
  });

  test("are noticed after an empty message", () => {
    expect(assemble([own(messagePrefix(0)), own(Buffer.of(0))]).isFollowed).toBe(true);
  });
});

test("a message above the maximum is too long as soon as its prefix is whole", () => {
  const prefix = messagePrefix(MAX_BYTES + 1);
  const before = assemble([own(prefix.subarray(0, 4))]);

  const message = assemble([own(prefix), own(Buffer.alloc(8_000))]);

  expect([before.isTooLong, message.isTooLong]).toEqual([false, true]);
  expect(message.read(undefined).bytes.length).toBe(0);
});

test("a message of exactly the maximum is not too long", () => {
  expect(assemble([own(messagePrefix(MAX_BYTES))]).isTooLong).toBe(false);
});
