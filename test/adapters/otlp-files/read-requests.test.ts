import { expect, test } from "bun:test";
import type { FileItem, FileRequest } from "../../../src/adapters/otlp-files/file-request.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { lengthDelimited, textBytes } from "../../support/requests/byte-chunks.ts";
import { itemsOf, json, protobuf, read } from "../../support/requests/file-items.ts";
import { GOLDEN_NAMES, goldenRequest } from "../../support/requests/golden-requests.ts";
import { attribute, request, requestOf, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const REQUESTS = [requestOf(3), requestOf(1, 10), requestOf(2, 20)];
const LINES = REQUESTS.map((bytes) => otlpJson(bytes));
const DOCUMENT = JSON.stringify(JSON.parse(LINES[0]!), undefined, 2);

const JSON_ITEMS = [json(LINES[0]!, 3), json(LINES[1]!, 1), json(LINES[2]!, 2)];
const PROTOBUF_ITEMS = [
  protobuf(REQUESTS[0]!, 3),
  protobuf(REQUESTS[1]!, 1),
  protobuf(REQUESTS[2]!, 2),
];

test.each([
  { name: "lines", text: `${LINES.join("\n")}\n`, items: JSON_ITEMS },
  { name: "lines without a final line feed", text: LINES.join("\n"), items: JSON_ITEMS },
  {
    name: "blank lines between requests",
    text: `\n${LINES.join("\n\n  \n")}\n\n`,
    items: JSON_ITEMS,
  },
  { name: "a document of many lines", text: DOCUMENT, items: [json(DOCUMENT, 3)] },
  { name: "documents without separators", text: LINES.join(""), items: JSON_ITEMS },
  { name: "lines of Windows", text: LINES.join("\r\n"), items: JSON_ITEMS },
  { name: "a byte order mark", text: `\ufeff${LINES.join("\n")}`, items: JSON_ITEMS },
  { name: "concatenated files", text: `\ufeff${LINES.join("\n\ufeff")}`, items: JSON_ITEMS },
  { name: "an empty request", text: "{}\n", items: [json("{}", 0)] },
])("OTLP/JSON is read: $name", async ({ text, items }) => {
  expect((await itemsOf(textBytes(text))).map(read)).toEqual([...items]);
});

test("white space around a document of many lines is not part of it", async () => {
  const items = await itemsOf(textBytes(`\r\n ${DOCUMENT}\r\n\r\n${DOCUMENT}`));

  expect(items.map(read)).toEqual([json(DOCUMENT, 3), json(DOCUMENT, 3)]);
});

test("length-delimited protobuf is read unchanged, including empty requests", async () => {
  const bytes = lengthDelimited(new Uint8Array(0), ...REQUESTS);

  expect((await itemsOf(bytes)).map(read)).toEqual([
    protobuf(new Uint8Array(0), 0),
    ...PROTOBUF_ITEMS,
  ]);
});

test.each([1, 5, 64, 100_000])(
  "the result does not depend on chunks: of %d bytes",
  async (chunkBytes) => {
    const files = [textBytes(LINES.join("\n")), lengthDelimited(...REQUESTS), REQUESTS[0]!];

    const found = await Promise.all(files.map((file) => itemsOf(file, chunkBytes)));

    expect(found.flat().map(read)).toEqual([...JSON_ITEMS, ...PROTOBUF_ITEMS, PROTOBUF_ITEMS[0]!]);
  },
);

// Seed 803280216: the end of a line, and a byte that is no text in the next one.
test.each(["]}]}\n", "{", '{"a":'])(
  "the format of a damaged file does not depend on chunks: %j",
  async (begin) => {
    const file = textBytes(`${begin}{"resourceSpans":["${"x".repeat(99)}\x0e"]}\n`);

    const [small, whole] = await Promise.all([38, 1_000].map((bytes) => itemsOf(file, bytes)));

    expect(small!.map(read)).toEqual(whole!.map(read));
  },
);

test("a bare request is read in pieces of the same bytes", async () => {
  const big = Buffer.concat(Array.from({ length: 400 }, (_, at) => requestOf(5, 1 + at * 5)));

  const items = await itemsOf(big, 10_000);

  const pieces = items.map((item) => ("bytes" in item ? item.bytes : new Uint8Array(0)));
  expect(pieces.length).toBeGreaterThan(1);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
  expect(Buffer.concat(pieces).equals(big)).toBe(true);
});

test.each(GOLDEN_NAMES)("the request of an SDK is read in every format: %s", async (name) => {
  const golden = goldenRequest(name);
  const line = textBytes(otlpJson(golden));

  const files = [golden, lengthDelimited(golden), line];
  const found = await Promise.all(files.map((file) => itemsOf(file)));

  const [bare, ...others] = found.map((items) =>
    items.map((item) => ("spanCount" in item ? item.spanCount : item)),
  );
  expect(bare).toEqual([new ProtobufSpanCodec().decode(golden).length]);
  expect(others).toEqual([bare!, bare!]);
});

test("a bare request that begins like JSON is read as protobuf", async () => {
  // A ResourceSpans of 123 bytes that begins with a resource of 34 reads as `\n{\n"...`.
  const resource = bytesField(1, attribute("service.name", "x".repeat(14)));
  const rest = 123 - 2 - resource.length;
  const spans = bytesField(2, span(1), bytesField(3, "x".repeat(rest - 2 - span(1).length - 2)));
  const bytes = request(bytesField(1, bytesField(1, resource), spans));

  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('\n{\n"');
  expect((await itemsOf(bytes)).map(read)).toEqual([protobuf(bytes, 1)]);
});

test("metrics and logs of a collector are recognised", async () => {
  const text = `${LINES[0]}\n{"resourceMetrics":[]}\n{"resourceLogs":[]}\n${LINES[1]}\n`;

  expect((await itemsOf(textBytes(text))).map(read)).toEqual([
    json(LINES[0]!, 3),
    "other signal",
    "other signal",
    json(LINES[1]!, 1),
  ]);
});

test("spans beside metrics or logs in a document are read", async () => {
  const mixed = `${LINES[1]!.slice(0, -1)},"resourceLogs":[]}`;

  expect((await itemsOf(textBytes(mixed))).map(read)).toEqual([json(mixed, 1)]);
});

test("an empty file has no requests", async () => {
  expect(await itemsOf(new Uint8Array(0))).toEqual([]);
});

const TIMED = [
  { startTimeUnixNano: "1753000000500000000" },
  { startTimeUnixNano: 1_753_000_000_250_000_000 },
  {},
];

const startMs = (item: FileItem | undefined) => (item as FileRequest).earliestStartMs();

test("the earliest start is read from JSON strings and numbers", async () => {
  const timed = { resourceSpans: [{ scopeSpans: [{ spans: TIMED }] }] };

  const [item] = await itemsOf(textBytes(JSON.stringify(timed)));

  expect(startMs(item)).toBeCloseTo(1_753_000_000_250, 2);
});

test("the earliest start is read from protobuf, and undefined if no span has one", async () => {
  const golden = goldenRequest("plain-server-span");

  const [timed] = await itemsOf(golden);
  const [untimed] = await itemsOf(requestOf(1));

  expect(startMs(timed)).toBeWithin(1_753_000_000_000, 1_753_000_100_000);
  expect(startMs(untimed)).toBeUndefined();
});

test("the sizes of requests add up to the size of the file", async () => {
  const files = [
    textBytes(`${LINES.join("\n")}\n`),
    textBytes(DOCUMENT),
    lengthDelimited(...REQUESTS),
    REQUESTS[0]!,
  ];

  for (const file of files) {
    const items = await itemsOf(file);
    const sizes = items.map((item) => ("fileBytes" in item ? item.fileBytes : 0));
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(file.length);
  }
});
