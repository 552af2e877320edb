import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync, constants } from "node:zlib";
import {
  type Compression,
  inflate,
  inflateAside,
  inflatedLimit,
  type InflateResult,
  areWholeZstdFrames,
  DECODER_BYTES,
} from "../../../src/adapters/otlp/inflate.ts";
import { releaseOwnBuffer } from "../../../src/application/ring/release-bytes.ts";

const MAX_BYTES = 100_000;
const TEXT = Buffer.from("some spans ".repeat(1000));

const COMPRESS: Readonly<Record<Compression, (plain: Buffer) => Buffer>> = {
  gzip: (plain) => gzipSync(plain),
  deflate: (plain) => deflateSync(plain),
  zstd: (plain) => zstdCompressSync(plain),
};

describe.each(["gzip", "deflate", "zstd"] as const)("%s data", (compression) => {
  test("is decompressed without loss", () => {
    const inflated = inflate(COMPRESS[compression](TEXT), compression, MAX_BYTES);

    expect(inflated).toEqual({ outcome: "plain", bytes: TEXT, garbageBytes: DECODER_BYTES });
  });

  test.each([
    { lengthBytes: MAX_BYTES, outcome: "plain" },
    { lengthBytes: MAX_BYTES + 1, outcome: "too_large" },
    { lengthBytes: 64 * 1024 * 1024, outcome: "too_large" },
  ])("of $lengthBytes zeros is $outcome", ({ lengthBytes, outcome }) => {
    const bomb = COMPRESS[compression](Buffer.alloc(lengthBytes));

    expect(inflate(bomb, compression, MAX_BYTES).outcome).toBe(outcome as "plain");
  });

  test.each([
    { name: "truncated", cut: (whole: Buffer) => whole.subarray(0, -5) },
    { name: "cut in half", cut: (whole: Buffer) => whole.subarray(0, whole.length / 2) },
    { name: "empty", cut: () => Buffer.alloc(0) },
    { name: "not compressed", cut: () => TEXT },
    { name: "preceded by other bytes", cut: (whole: Buffer) => Buffer.concat([TEXT, whole]) },
  ])("that is $name is malformed", ({ cut }) => {
    const message = cut(COMPRESS[compression](TEXT));

    expect(inflate(message, compression, MAX_BYTES)).toMatchObject({
      outcome: "malformed",
      message: `the message is not valid ${compression} data`,
    });
  });
});

function grown(): void {}

describe.each(["gzip", "deflate", "zstd"] as const)("on another thread, %s data", (compression) => {
  const whole = COMPRESS[compression](TEXT);

  test.each([
    { name: "that is whole", message: whole },
    { name: "that is cut", message: whole.subarray(0, -5) },
    { name: "of no bytes", message: Buffer.alloc(0) },
    { name: "that is not compressed", message: TEXT },
    { name: "of the limit", message: COMPRESS[compression](Buffer.alloc(MAX_BYTES)) },
    { name: "beyond the limit", message: COMPRESS[compression](Buffer.alloc(MAX_BYTES + 1)) },
  ])("$name has the same result", async ({ message }) => {
    const expected = inflate(message, compression, MAX_BYTES);

    const inflated = await inflateAside(message, compression, { maxBytes: MAX_BYTES, grown });

    expect(shown(inflated)).toEqual(shown(expected));
  });

  test("leaves a message that is too large free to be released", async () => {
    const text = Buffer.from(randomBytes(1_000_000).toString("hex"));
    const message = new Uint8Array(COMPRESS[compression](text));

    const limits = { maxBytes: 500_000, grown };
    const { outcome } = await inflateAside(message, compression, limits);
    releaseOwnBuffer(message);

    expect(outcome).toBe("too_large");
    expect(message.length).toBe(0);
  });

  test("reports each growth of its memory", async () => {
    const plain = Buffer.alloc(1_000_000, "spans of many names ");
    const growths: number[] = [];
    const limits = { maxBytes: 2_000_000, grown: (bytes: number) => void growths.push(bytes) };

    const inflated = await inflateAside(COMPRESS[compression](plain), compression, limits);

    const grownBytes = growths.reduce((total, bytes) => total + bytes, 0);
    expect(shown(inflated)).toEqual({ outcome: "plain", text: plain.toString(), message: "" });
    expect(grownBytes).toBeGreaterThanOrEqual(1_000_000);
    expect(grownBytes).toBeLessThan(1_300_000);
  });
});

test.each([
  { compression: "gzip", isDeclared: true },
  { compression: "zstd", isDeclared: true },
  { compression: "deflate", isDeclared: false },
] as const)(
  "room for $compression data is reserved at once: $isDeclared",
  async ({ compression, isDeclared }) => {
    const growths: number[] = [];
    const limits = { maxBytes: 2_000_000, grown: (bytes: number) => void growths.push(bytes) };

    await inflateAside(COMPRESS[compression](randomBytes(1_000_000)), compression, limits);

    expect([growths.length === 1, growths[0] === 1_000_000]).toEqual([isDeclared, isDeclared]);
  },
);

test("no more room than the limit is reserved, whatever is declared", async () => {
  const growths: number[] = [];
  const limits = { maxBytes: 200_000, grown: (bytes: number) => void growths.push(bytes) };
  const message = gzipSync(randomBytes(1_000_000));

  const { outcome } = await inflateAside(message, "gzip", limits);

  expect([outcome, growths]).toEqual(["too_large", [200_000]]);
});

/** Returns a result without its memory. */
function shown(result: InflateResult) {
  if (result.outcome !== "plain") return { ...result, garbageBytes: undefined };
  return { outcome: result.outcome, text: Buffer.from(result.bytes).toString(), message: "" };
}

test.each([
  { lengthBytes: 1, maxBytes: 20_000_000, limit: 1_048_576 },
  { lengthBytes: 1, maxBytes: 1_000, limit: 1_000 },
  { lengthBytes: 2_000, maxBytes: 20_000_000, limit: 2_000_000 },
  { lengthBytes: 2_000_000, maxBytes: 20_000_000, limit: 20_000_000 },
])(
  "$lengthBytes bytes may decompress to $limit if $maxBytes are allowed",
  ({ lengthBytes, maxBytes, limit }) => {
    expect(inflatedLimit(lengthBytes, maxBytes)).toBe(limit);
  },
);

// A frame declares its window of up to 128 MiB, which is allocated before any output.
test.each([
  { windowLog: 23, outcome: "plain" },
  { windowLog: 24, outcome: "malformed" },
  { windowLog: 27, outcome: "malformed" },
])("a zstd window of 2^$windowLog bytes is $outcome", ({ windowLog, outcome }) => {
  // [magic][descriptor: only a window][window][last block, raw, 4 bytes][its bytes]
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3];
  const message = Uint8Array.from([...head, (4 << 3) | 1, 0, 0, 1, 2, 3, 4]);

  expect(inflate(message, "zstd", MAX_BYTES).outcome).toBe(outcome as "plain");
});

test.each([
  { name: "of 4 bytes", lengthBytes: 1_000_000, flags: {}, garbageBytes: 0 },
  { name: "that is missing", lengthBytes: 1_000_000, flags: { contentSizeFlag: 0 } },
  { name: "of 1 byte", lengthBytes: 0, flags: {}, outcome: "plain", garbageBytes: DECODER_BYTES },
])(
  "zstd data is refused by its declared size without decompressing it: $name",
  ({ lengthBytes, flags, outcome = "too_large", garbageBytes = DECODER_BYTES + MAX_BYTES + 1 }) => {
    const message = compress(Buffer.alloc(lengthBytes), flags);

    expect(inflate(message, "zstd", MAX_BYTES)).toMatchObject({ outcome, garbageBytes });
  },
);

test("zstd data is refused by a declared size of 8 bytes", () => {
  // [magic][descriptor: size of 8 bytes, single segment][size][last block, raw, of 8 bytes]
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0];
  const message = Uint8Array.from([...head, (8 << 3) | 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);

  expect(inflate(message, "zstd", MAX_BYTES)).toMatchObject({
    outcome: "too_large",
    garbageBytes: 0,
  });
  expect(inflate(message.subarray(0, -1), "zstd", MAX_BYTES).outcome).toBe("malformed");
});

const NOISE = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 251));

/** The magic of a skippable frame, its length, and its bytes. */
const SKIPPED = Buffer.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

/** The frames that `zstd` writes, with and without their size and a checksum. */
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

test.each(frames)("a frame of $lengthBytes bytes, $kind, is recognised as whole", ({ frame }) => {
  expect(areWholeZstdFrames(frame)).toBe(true);
});

test.each(frames)(
  "a part of a frame of $lengthBytes bytes, $kind, is never recognised as whole",
  ({ frame }) => {
    const cuts = Array.from({ length: Math.min(frame.length, 2000) }, (_, at) => at);
    const tails = cuts.map((cut) => frame.length - 1 - cut);

    const whole = [...cuts, ...tails].filter((cut) => areWholeZstdFrames(frame.subarray(0, cut)));

    expect(whole).toEqual([]);
  },
);

test.each([
  { name: "two frames", bytes: Buffer.concat([frames[0]!.frame, frames[6]!.frame]), whole: true },
  { name: "a skippable frame", bytes: Buffer.concat([SKIPPED, frames[3]!.frame]), whole: true },
  { name: "a truncated skippable frame", bytes: SKIPPED.subarray(0, -1), whole: false },
  {
    name: "a frame with bytes after it",
    bytes: Buffer.concat([frames[3]!.frame, NOISE]),
    whole: false,
  },
  { name: "another format", bytes: NOISE, whole: false },
])("$name: areWholeZstdFrames() returns $whole", ({ bytes, whole }) => {
  expect(areWholeZstdFrames(bytes)).toBe(whole);
});
