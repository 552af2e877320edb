import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  dropBytes,
  holdChunk,
  openSource,
  peekBytes,
  restOf,
  returnBytes,
  takeBytes,
  decompressedMessage,
} from "../../../src/adapters/otlp-files/byte-source.ts";
import { chunksOf, textBytes, lengthDelimited } from "../../support/requests/byte-chunks.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { itemsOf, json, protobuf, read } from "../../support/requests/file-items.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test.each([1, 2, 3, 7, 100])(
  "reads of any length cross the borders of chunks of %d bytes",
  async (size) => {
    const source = openSource(chunksOf(textBytes("abcdefghij"), size));

    const pieces = [
      text(await peekBytes(source, 4)),
      text(await takeBytes(source, 3)),
      text(await takeBytes(source, 0)),
      text(await takeBytes(source, 5)),
      text(await peekBytes(source, 5)),
      text(await takeBytes(source, 5)),
      text(await takeBytes(source, 5)),
    ];

    expect(pieces).toEqual(["abcd", "abc", "", "defgh", "ij", "ij", ""]);
    expect(source.offsetBytes).toBe(10);
  },
);

test.each([1, 2, 3, 7, 100])(
  "dropBytes() drops the given number of bytes with chunks of %d",
  async (size) => {
    const source = openSource(chunksOf(textBytes("abcdefghij"), size));

    await peekBytes(source, 8);
    dropBytes(source, 7);

    expect([source.offsetBytes, text(await peekBytes(source, 2))]).toEqual([7, "hi"]);
  },
);

test.each([1, 2, 3, 7, 100])(
  "restOf() returns all remaining bytes with chunks of %d",
  async (size) => {
    const source = openSource(chunksOf(textBytes("abcdefghij"), size));
    await takeBytes(source, 4);
    await peekBytes(source, 3);

    const rest = await Array.fromAsync(restOf(source));

    expect(text(Buffer.concat(rest))).toBe("efghij");
    expect([source.offsetBytes, source.heldBytes]).toEqual([10, 0]);
  },
);

test("returned bytes are read again", async () => {
  const source = openSource(chunksOf(textBytes("abcdefghij"), 3));

  returnBytes(source, await takeBytes(source, 4));

  expect([source.offsetBytes, text(await takeBytes(source, 6))]).toEqual([0, "abcdef"]);
});

test("an empty chunk does not end the source", async () => {
  const source = openSource(withEmptyChunk());

  const found = [await holdChunk(source), await holdChunk(source), await holdChunk(source)];

  expect(found).toEqual([true, true, false]);
  expect(text(await takeBytes(source, 5))).toBe("ab");
});

async function* withEmptyChunk() {
  yield* [textBytes("a"), new Uint8Array(0), textBytes("b")];
}

const [A, B] = [requestOf(3), requestOf(1, 10)] as const;
const [LINE_A, LINE_B] = [otlpJson(A), otlpJson(B)] as const;
const JSON_ITEMS = [json(LINE_A, 3), json(LINE_B, 1)];
const PROTO_ITEMS = [protobuf(A, 3), protobuf(B, 1)];

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const COMPRESSIONS = [
  { compression: "gzip", compress: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)) },
  { compression: "zstd", compress: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)) },
] as const;

test.each(COMPRESSIONS)(
  "a file compressed with $compression is read in every format",
  async ({ compress }) => {
    const files = [
      compress(textBytes(`${LINE_A}\n${LINE_B}\n`)),
      compress(lengthDelimited(A, B)),
      compress(joined(A, B)),
    ];

    const [lines, framed, bare] = await Promise.all(files.map((file) => itemsOf(file, 50)));

    expect(lines!.map(read)).toEqual(JSON_ITEMS);
    expect(framed!.map(read)).toEqual(PROTO_ITEMS);
    expect(bare!.map(read)).toEqual([protobuf(joined(A, B), 4)]);
  },
);

test.each(COMPRESSIONS)(
  "concatenated files compressed with $compression are read as one",
  async ({ compress }) => {
    const file = joined(compress(textBytes(`${LINE_A}\n`)), compress(textBytes(`${LINE_B}\n`)));

    expect((await itemsOf(file)).map(read)).toEqual(JSON_ITEMS);
  },
);

test.each(COMPRESSIONS)(
  "a truncated file compressed with $compression is reported",
  async (each) => {
    const many = textBytes(`${LINE_A}\n`.repeat(2000));
    const file = each.compress(many);

    for (const lost of [1, Math.round(file.length / 2), file.length - 10]) {
      const items = await itemsOf(file.subarray(0, -lost), 100_000);
      const fault = `the ${each.compression} data is damaged or truncated: unexpected end of file`;
      expect(items.at(-1)).toMatchObject({ fault: `cannot read further: ${fault}` });
    }
  },
);

test.each(COMPRESSIONS)(
  "the part before the truncation is decompressed from $compression",
  async ({ compress }) => {
    // Random bytes hardly compress, so half of the file contains about half of the lines.
    const many = Array.from({ length: 5000 }, (_, at) => otlpJson(randomRequest(at))).join("\n");
    const file = compress(textBytes(many));

    const items = await itemsOf(file.subarray(0, file.length / 2), 100_000);

    const found = items.filter((item) => "spanCount" in item);
    expect(found.length).toBeWithin(1000, 5000);
  },
);

function randomRequest(at: number): Uint8Array {
  return requestOf(1, Number(Bun.hash.crc32(String(at))) + 1);
}

test.each(COMPRESSIONS)(
  "the sizes of requests add up to the size of the file compressed with $compression",
  async (each) => {
    const file = each.compress(textBytes(`${LINE_A}\n${LINE_B}\n`));

    const items = await itemsOf(file, 50);

    const sizes = items.map((item) => ("fileBytes" in item ? item.fileBytes : NaN));
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(file.length);
  },
);

// The collector compresses each message separately, JSON too, and writes its length before it.
const zstd = (bytes: Uint8Array | string) => new Uint8Array(zstdCompressSync(bytes));

test.each([
  { name: "JSON", messages: [zstd(LINE_A), zstd(LINE_B)], items: JSON_ITEMS },
  { name: "protobuf", messages: [zstd(A), zstd(B)], items: PROTO_ITEMS },
  {
    name: "an empty request",
    messages: [zstd(""), zstd(B)],
    items: [protobuf(new Uint8Array(0), 0), PROTO_ITEMS[1]],
  },
  {
    name: "metrics",
    messages: [zstd('{"resourceMetrics":[]}'), zstd(LINE_B)],
    items: ["other signal", JSON_ITEMS[1]],
  },
  {
    name: "a line with one span",
    messages: [zstd('{"traceId":"1","spanId":"2","resource":{},"scope":{}}')],
    items: [
      json(
        '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},' +
          '"spans":[{"traceId":"1","spanId":"2"}]}]}]}',
        1,
      ),
    ],
  },
  {
    name: "other JSON",
    messages: [zstd('{"spans":[]}'), zstd(LINE_B)],
    items: [
      "byte 0: JSON without resourceSpans, so not traces " +
        `(${4 + zstd('{"spans":[]}').length} B)`,
      JSON_ITEMS[1],
    ],
  },
])(
  "the collector's messages of $name, each compressed with zstd, are read",
  async ({ messages, items }) => {
    expect((await itemsOf(lengthDelimited(...messages), 50)).map(read)).toEqual([
      ...items,
    ] as string[]);
  },
);

test("a torn zstd message affects no other message", async () => {
  const [whole, other] = [lengthDelimited(zstd(LINE_A)), lengthDelimited(zstd(LINE_B))];
  const middle = joined(whole, other.subarray(0, -9), whole, other);

  const items = (await itemsOf(middle, 50)).map(read);

  expect(items).toEqual([
    JSON_ITEMS[0]!,
    expect.stringMatching(
      new RegExp(`^byte ${whole.length}: the zstd data is damaged or truncated: .* \\(\\d+ B\\)$`),
    ),
    ...JSON_ITEMS,
  ]);
});

test("a message is not decompressed beyond its limit", async () => {
  const bomb = zstd("x".repeat(10_000_000));

  expect(await decompressedMessage(bomb, "zstd", 9_999_999)).toBe("too long");
  expect(await decompressedMessage(bomb, "zstd", 10_000_000)).toHaveLength(10_000_000);
});
