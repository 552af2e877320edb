import { describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { type Compression, inflate } from "../../../src/adapters/otlp/inflate.ts";

const MAX_BYTES = 100_000;
const TEXT = Buffer.from("some spans ".repeat(1000));

const COMPRESS: Readonly<Record<Compression, (plain: Buffer) => Buffer>> = {
  gzip: (plain) => gzipSync(plain),
  deflate: (plain) => deflateSync(plain),
  zstd: (plain) => zstdCompressSync(plain),
};

describe.each(["gzip", "deflate", "zstd"] as const)("%s", (compression) => {
  test("comes out as it was before", () => {
    const inflated = inflate(COMPRESS[compression](TEXT), compression, MAX_BYTES);

    expect(inflated).toEqual({ outcome: "plain", bytes: TEXT, garbageBytes: 0 });
  });

  test.each([
    { lengthBytes: MAX_BYTES, outcome: "plain" },
    { lengthBytes: MAX_BYTES + 1, outcome: "too_large" },
    { lengthBytes: 64 * 1024 * 1024, outcome: "too_large" },
  ])("$lengthBytes bytes of zeros: $outcome", ({ lengthBytes, outcome }) => {
    const bomb = COMPRESS[compression](Buffer.alloc(lengthBytes));

    expect(inflate(bomb, compression, MAX_BYTES).outcome).toBe(outcome as "plain");
  });

  test.each([
    { name: "cut short", cut: (whole: Buffer) => whole.subarray(0, -5) },
    { name: "cut in half", cut: (whole: Buffer) => whole.subarray(0, whole.length / 2) },
    { name: "empty", cut: () => Buffer.alloc(0) },
    { name: "something else", cut: () => TEXT },
    { name: "behind a byte too many", cut: (whole: Buffer) => Buffer.concat([TEXT, whole]) },
  ])("$name is malformed", ({ cut }) => {
    const message = cut(COMPRESS[compression](TEXT));

    expect(inflate(message, compression, MAX_BYTES)).toMatchObject({
      outcome: "malformed",
      message: `the message is not what ${compression} makes`,
    });
  });
});

// A frame names the window it needs: up to 128 MiB, to be had before the first byte comes out.
test.each([
  { windowLog: 23, outcome: "plain" },
  { windowLog: 24, outcome: "malformed" },
  { windowLog: 27, outcome: "malformed" },
])("a window of 2^$windowLog bytes is $outcome", ({ windowLog, outcome }) => {
  // [magic][descriptor: nothing but a window][window][last block, raw, 4 bytes][its bytes]
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3];
  const message = Uint8Array.from([...head, (4 << 3) | 1, 0, 0, 1, 2, 3, 4]);

  expect(inflate(message, "zstd", MAX_BYTES).outcome).toBe(outcome as "plain");
});
