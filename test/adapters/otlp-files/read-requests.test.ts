import { expect, test } from "bun:test";
import type { FileItem, FileRequest } from "../../../src/adapters/otlp-files/file-request.ts";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { otlpJson } from "../../../src/adapters/otlp/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { chunksOf, lengthDelimited, textBytes } from "../../support/byte-chunks.ts";
import { GOLDEN_NAMES, goldenRequest } from "../../support/golden-requests.ts";
import { attribute, request, requestOf, span } from "../../support/request-bytes.ts";
import { bytesField } from "../../support/wire-bytes.ts";

const REQUESTS = [requestOf(3), requestOf(1, 10), requestOf(2, 20)];
const LINES = REQUESTS.map((bytes) => otlpJson(bytes));
const DOCUMENT = JSON.stringify(JSON.parse(LINES[0]!), undefined, 2);

async function itemsOf(bytes: Uint8Array, chunkBytes = 1000): Promise<FileItem[]> {
  return await Array.fromAsync(readRequests(chunksOf(bytes, chunkBytes)));
}

function read(item: FileItem): unknown {
  if ("fault" in item) return item.fault;
  if ("otherSignal" in item) return "other signal";
  return `${item.contentType} ${item.spanCount}: ${Buffer.from(item.bytes).toString("base64")}`;
}

function json(line: string, spanCount: number): string {
  return `application/json ${spanCount}: ${Buffer.from(line).toString("base64")}`;
}

function protobuf(bytes: Uint8Array, spanCount: number): string {
  return `application/x-protobuf ${spanCount}: ${Buffer.from(bytes).toString("base64")}`;
}

const JSON_ITEMS = [json(LINES[0]!, 3), json(LINES[1]!, 1), json(LINES[2]!, 2)];
const PROTOBUF_ITEMS = [
  protobuf(REQUESTS[0]!, 3),
  protobuf(REQUESTS[1]!, 1),
  protobuf(REQUESTS[2]!, 2),
];

test.each([
  { name: "lines", text: `${LINES.join("\n")}\n`, items: JSON_ITEMS },
  { name: "lines without an end", text: LINES.join("\n"), items: JSON_ITEMS },
  { name: "blank lines between", text: `\n${LINES.join("\n\n  \n")}\n\n`, items: JSON_ITEMS },
  { name: "one document over many lines", text: DOCUMENT, items: [json(DOCUMENT, 3)] },
  { name: "an empty request", text: "{}\n", items: [json("{}", 0)] },
])("OTLP/JSON: $name", async ({ text, items }) => {
  expect((await itemsOf(textBytes(text))).map(read)).toEqual([...items]);
});

test("lines of Windows keep what is theirs, which JSON steps over", async () => {
  const items = await itemsOf(textBytes(LINES.join("\r\n")));

  expect(items.map(read)).toEqual([
    json(`${LINES[0]}\r`, 3),
    json(`${LINES[1]}\r`, 1),
    json(LINES[2]!, 2),
  ]);
});

test("protobuf behind its lengths is read as it is, empty requests too", async () => {
  const bytes = lengthDelimited(new Uint8Array(0), ...REQUESTS);

  expect((await itemsOf(bytes)).map(read)).toEqual([
    protobuf(new Uint8Array(0), 0),
    ...PROTOBUF_ITEMS,
  ]);
});

test.each([1, 5, 64, 100_000])("nothing depends on chunks: of %d bytes", async (chunkBytes) => {
  const files = [textBytes(LINES.join("\n")), lengthDelimited(...REQUESTS), REQUESTS[0]!];

  const found = await Promise.all(files.map((file) => itemsOf(file, chunkBytes)));

  expect(found.flat().map(read)).toEqual([...JSON_ITEMS, ...PROTOBUF_ITEMS, PROTOBUF_ITEMS[0]!]);
});

test("a bare request is read in pieces that are the same bytes together", async () => {
  const big = Buffer.concat(Array.from({ length: 400 }, (_, at) => requestOf(5, 1 + at * 5)));

  const items = await itemsOf(big, 10_000);

  const pieces = items.map((item) => ("bytes" in item ? item.bytes : new Uint8Array(0)));
  expect(pieces.length).toBeGreaterThan(1);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
  expect(Buffer.concat(pieces).equals(big)).toBe(true);
});

test.each(GOLDEN_NAMES)("what an SDK sent is read in every format: %s", async (name) => {
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

test("bytes that look like JSON at first are a request all the same", async () => {
  // A ResourceSpans of 123 bytes that begins with a resource of 34 reads as `\n{\n"...`.
  const resource = bytesField(1, attribute("service.name", "x".repeat(14)));
  const rest = 123 - 2 - resource.length;
  const spans = bytesField(2, span(1), bytesField(3, "x".repeat(rest - 2 - span(1).length - 2)));
  const bytes = request(bytesField(1, bytesField(1, resource), spans));

  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('\n{\n"');
  expect((await itemsOf(bytes)).map(read)).toEqual([protobuf(bytes, 1)]);
});

test("metrics and logs, which collectors write too, are told from traces", async () => {
  const text = `${LINES[0]}\n{"resourceMetrics":[]}\n{"resourceLogs":[]}\n${LINES[1]}\n`;

  expect((await itemsOf(textBytes(text))).map(read)).toEqual([
    JSON_ITEMS[0],
    "other signal",
    "other signal",
    JSON_ITEMS[1],
  ]);
});

test("an empty file has no request", async () => {
  expect(await itemsOf(new Uint8Array(0))).toEqual([]);
});

const cutJson = textBytes(LINES.join("\n").slice(0, -5));
const cutDocument = textBytes(DOCUMENT.slice(0, -5));
const framed = lengthDelimited(...REQUESTS);
const thirdAt = 8 + REQUESTS[0]!.length + REQUESTS[1]!.length;

test.each([
  {
    name: "a line that is cut off",
    bytes: cutJson,
    before: 2,
    fault: "line 3: this is not whole JSON: Expected '}'",
  },
  {
    name: "a line that is no JSON",
    bytes: textBytes(`${LINES[0]}\noops\n${LINES[1]}`),
    before: 1,
    fault: 'line 2: this is not whole JSON: Unexpected identifier "oops"',
  },
  {
    name: "a document that is cut off",
    bytes: cutDocument,
    before: 0,
    fault: "line 1: this is not whole JSON: Expected ']'",
  },
  {
    name: "JSON of something else",
    bytes: textBytes(`${LINES[0]}\n{"spans":[]}\n`),
    before: 1,
    fault: "line 2: this is JSON, but no traces: it has no resourceSpans",
  },
  {
    name: "JSON that is no object",
    bytes: textBytes(`${LINES[0]}\n17\n`),
    before: 1,
    fault: "line 2: this is not a JSON object",
  },
  {
    name: "a message that is cut off",
    bytes: framed.subarray(0, -5),
    before: 2,
    fault:
      `byte ${thirdAt}: cut off: the request that begins there has ` +
      `${REQUESTS[2]!.length - 5} of its ${REQUESTS[2]!.length} bytes`,
  },
  {
    name: "a length that is cut off",
    bytes: Buffer.concat([framed, Uint8Array.of(0, 0)]),
    before: 3,
    fault: `byte ${framed.length}: cut off within a length`,
  },
  {
    name: "a length that cannot be",
    bytes: Buffer.concat([framed, Uint8Array.of(0xff, 0xff, 0xff, 0xff)]),
    before: 3,
    fault: `byte ${framed.length}: a request of 4294967295 bytes; at most 268435456 can be`,
  },
  {
    name: "a message that is no request",
    bytes: lengthDelimited(REQUESTS[0]!, Uint8Array.of(0x0b, 1, 2)),
    before: 1,
    fault:
      `byte ${8 + REQUESTS[0]!.length}: this is not a trace request: at byte 0: ` +
      "there is no valid field tag (field 0, a group, or more than 32 bits) of it",
  },
  {
    name: "a bare request that is cut off",
    bytes: REQUESTS[0]!.subarray(0, -5),
    before: 0,
    fault:
      "byte 0: cut off: the field that begins there has " +
      `${REQUESTS[0]!.length - 5} of its ${REQUESTS[0]!.length} bytes`,
  },
  {
    name: "a bare request with something else behind it",
    bytes: Buffer.concat([REQUESTS[0]!, Uint8Array.of(0x0b, 1)]),
    before: 1,
    fault: `byte ${REQUESTS[0]!.length}: this is not a field of a trace request`,
  },
  {
    name: "gzip",
    bytes: Bun.gzipSync(textBytes(LINES[0]!) as Uint8Array<ArrayBuffer>),
    before: 0,
    fault: "byte 0: compressed with gzip; use zcat FILE | spanring send -",
  },
  {
    name: "zstd",
    bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0),
    before: 0,
    fault: "byte 0: compressed with zstd; use zstdcat FILE | spanring send -",
  },
  {
    name: "text",
    bytes: textBytes("hello"),
    before: 0,
    fault: "byte 0: neither OTLP/JSON nor protobuf",
  },
])("$name: what was before it is there, and the place is told", async (broken) => {
  const items = await itemsOf(broken.bytes);

  expect(items.map((item) => "fault" in item)).toEqual([
    ...Array<boolean>(broken.before).fill(false),
    true,
  ]);
  expect(items.at(-1)).toEqual({ fault: broken.fault });
});

test("every truncation of a file with lengths is a fault, and never a wrong request", async () => {
  const bytes = lengthDelimited(...REQUESTS);
  const whole = new Set<number>([0, 4 + REQUESTS[0]!.length, thirdAt]);

  for (let length = 1; length < bytes.length; length += 1) {
    const items = await itemsOf(bytes.subarray(0, length));
    const found = items.filter((item) => !("fault" in item)).map(read);
    expect(found).toEqual(PROTOBUF_ITEMS.slice(0, found.length));
    expect(items.some((item) => "fault" in item)).toBe(!whole.has(length));
  }
});

const TIMED = [
  { startTimeUnixNano: "1753000000500000000" },
  { startTimeUnixNano: 1_753_000_000_250_000_000 },
  {},
];

const startMs = (item: FileItem | undefined) => (item as FileRequest).earliestStartMs();

test("the earliest start is known for JSON, in strings or in numbers", async () => {
  const timed = { resourceSpans: [{ scopeSpans: [{ spans: TIMED }] }] };

  const [item] = await itemsOf(textBytes(JSON.stringify(timed)));

  expect(startMs(item)).toBeCloseTo(1_753_000_000_250, 2);
});

test("the earliest start is known for protobuf, and unknown when no span says", async () => {
  const golden = goldenRequest("plain-server-span");

  const [timed] = await itemsOf(golden);
  const [untimed] = await itemsOf(requestOf(1));

  expect(startMs(timed)).toBeWithin(1_753_000_000_000, 1_753_000_100_000);
  expect(startMs(untimed)).toBeUndefined();
});

test("the bytes of a file are accounted for", async () => {
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
