import { expect, test } from "bun:test";
import { constants, zstdCompressSync } from "node:zlib";
import { areWholeZstdFrames } from "../../../src/adapters/otlp/zstd-frames.ts";

const NOISE = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 251));

/** Magic of a skippable frame, its length, and that many bytes. */
const SKIPPED = Buffer.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

/** The frames that `zstd` makes differ in whether they tell their size, and have a checksum. */
const frames = [0, 1, 300, 70_000, 200_000].flatMap((lengthBytes) =>
  [
    { kind: "plain", flags: {} },
    { kind: "with a checksum", flags: { checksumFlag: 1 } },
    { kind: "without its size", flags: { contentSizeFlag: 0 } },
  ].map(({ kind, flags }) => {
    const plain = Buffer.concat([NOISE, NOISE, NOISE]).subarray(0, lengthBytes);
    return { lengthBytes, kind, frame: compress(plain, flags) };
  }),
);

function compress(plain: Buffer, flags: { checksumFlag?: number; contentSizeFlag?: number }) {
  const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = constants;
  const params = {
    [ZSTD_c_checksumFlag]: flags.checksumFlag ?? 0,
    [ZSTD_c_contentSizeFlag]: flags.contentSizeFlag ?? 1,
  };
  return zstdCompressSync(plain, { params });
}

test.each(frames)("a frame of $lengthBytes bytes, $kind, is whole", ({ frame }) => {
  expect(areWholeZstdFrames(frame)).toBe(true);
});

test.each(frames)("of $lengthBytes bytes, $kind,, no part is whole", ({ frame }) => {
  const cuts = Array.from({ length: Math.min(frame.length, 2000) }, (_, at) => at);
  const tails = cuts.map((cut) => frame.length - 1 - cut);

  const whole = [...cuts, ...tails].filter((cut) => areWholeZstdFrames(frame.subarray(0, cut)));

  expect(whole).toEqual([]);
});

test.each([
  { name: "two frames", bytes: Buffer.concat([frames[0]!.frame, frames[6]!.frame]), whole: true },
  { name: "a skippable frame", bytes: Buffer.concat([SKIPPED, frames[3]!.frame]), whole: true },
  { name: "a skippable frame, cut", bytes: SKIPPED.subarray(0, -1), whole: false },
  { name: "a byte behind a frame", bytes: Buffer.concat([frames[3]!.frame, NOISE]), whole: false },
  { name: "another format", bytes: NOISE, whole: false },
])("$name: $whole", ({ bytes, whole }) => {
  expect(areWholeZstdFrames(bytes)).toBe(whole);
});
