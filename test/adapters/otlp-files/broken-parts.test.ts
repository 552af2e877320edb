import { expect, test } from "bun:test";
import { jsonDocuments } from "../../../src/adapters/otlp-files/json-documents.ts";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { chunksOf, lengthDelimited, textBytes } from "../../support/requests/byte-chunks.ts";
import { itemsOf, json, protobuf, read } from "../../support/requests/file-items.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

// Goal: a broken part of a file affects no other part, and its position is reported.
// Method: files damaged as by a crash, a full disk or an editor, in chunks of several sizes.

const REQUESTS = [requestOf(3), requestOf(1, 10), requestOf(2, 20)] as const;
const [LINE_A, LINE_B, LINE_C] = REQUESTS.map((bytes) => otlpJson(bytes)) as [
  string,
  string,
  string,
];
const [JSON_A, JSON_B, JSON_C] = [json(LINE_A, 3), json(LINE_B, 1), json(LINE_C, 2)];
const DOCUMENT = JSON.stringify(JSON.parse(LINE_A), undefined, 2);
const TORN = LINE_B.slice(0, 40);
const NULS = "\0".repeat(64);

const torn = (place: string, bytes: number) =>
  `${place}: incomplete or invalid JSON: the line ends within a string (${bytes} B)`;
const nuls = (place: string, bytes: number) =>
  `${place}: NUL bytes, probably left by a crash (${bytes} B)`;

const JSON_FILES = [
  {
    name: "a torn line in the middle",
    text: `${LINE_A}\n${TORN}\n${LINE_B}\n${LINE_C}\n`,
    items: [JSON_A, torn("line 2", 41), JSON_B, JSON_C],
  },
  {
    name: "a torn line followed by another without a line end",
    text: `${LINE_A}\n${TORN}${LINE_B}\n${LINE_C}\n`,
    items: [JSON_A, 'line 2: incomplete or invalid JSON: unexpected "r" (40 B)', JSON_B, JSON_C],
  },
  {
    name: "a line torn where a nested object may follow, before two lines",
    text: `{"resourceSpans":[\n${LINE_B}\n${LINE_C}\n`,
    items: ['line 1: incomplete or invalid JSON: unexpected "{" (19 B)', JSON_B, JSON_C],
  },
  {
    name: "a line torn where a nested object may follow, before the last line",
    text: `{"resourceSpans":[\n${LINE_B}\n`,
    items: ["line 1: incomplete or invalid JSON: the file ends inside it (19 B)", JSON_B],
  },
  {
    name: "the end of a line at the beginning",
    text: `${LINE_A.slice(40)}\n${LINE_B}\n`,
    items: [
      `line 1: this is not OTLP/JSON: a request begins with "{" (${LINE_A.length - 39} B)`,
      JSON_B,
    ],
  },
  {
    name: "zero bytes at the beginning, in the line of a request",
    text: `${NULS}${LINE_A}\n${LINE_B}\n`,
    items: [nuls("byte 0", 64), JSON_A, JSON_B],
  },
  {
    name: "more zero bytes than format detection reads",
    text: `${NULS.repeat(100)}${LINE_A}\n`,
    items: [nuls("byte 0", 6400), JSON_A],
  },
  {
    name: "a few zero bytes",
    text: `\0\0${LINE_A}\n`,
    items: [nuls("line 1", 2), JSON_A],
  },
  {
    name: "zero bytes between lines",
    text: `${LINE_A}\n${NULS}${LINE_B}\n${NULS}`,
    items: [JSON_A, nuls("line 2", 64), JSON_B, nuls("line 3", 64)],
  },
  {
    name: "zero bytes in a line",
    text: `${TORN}${NULS}${LINE_B}\n`,
    items: [`line 1: incomplete or invalid JSON: a string contains byte 0x00 (104 B)`, JSON_B],
  },
  {
    name: "consecutive other lines, which are one fault",
    text: `one\ntwo\n\nthree\n${LINE_A}\nfour`,
    items: [
      'lines 1 to 4: this is not OTLP/JSON: a request begins with "{" (14 B)',
      JSON_A,
      'line 6: this is not OTLP/JSON: a request begins with "{" (4 B)',
    ],
  },
  {
    name: "a truncated document of many lines",
    text: `${DOCUMENT.slice(0, -5)}\n${LINE_B}\n`,
    items: [
      expect.stringContaining(
        `lines 1 to ${DOCUMENT.split("\n").length - 2}: incomplete or invalid JSON: unexpected "{"`,
      ),
      JSON_B,
    ],
  },
  {
    name: "invalid JSON that only a parser detects",
    text: `{"resourceSpans":[nulll]}\n${LINE_A}\n`,
    items: ["line 1: incomplete or invalid JSON: Expected ']' (25 B)", JSON_A],
  },
  {
    name: "other JSON",
    text: `${LINE_A}\n{"spans":[]}\n17\n${LINE_B}`,
    items: [JSON_A, "lines 2 to 3: JSON without resourceSpans, so not traces (15 B)", JSON_B],
  },
];

test.each([...JSON_FILES])("broken OTLP/JSON is reported: $name", async ({ text, items }) => {
  for (const chunkBytes of [1, 7, 1000, 100_000]) {
    expect((await itemsOf(textBytes(text), chunkBytes)).map(read)).toEqual(items);
  }
});

test("a document above the limit is skipped, whatever its length", async () => {
  const bytes = textBytes(`${LINE_B}\n{"a":"${"x".repeat(5000)}"}\n${LINE_B}\n`);

  const found = await Array.fromAsync(jsonDocuments(openSource(chunksOf(bytes, 100)), 1000));

  expect(found).toMatchObject([
    { firstLine: 1, lastLine: 1 },
    { fault: "longer than 1000 bytes", first: 2, last: 2, skippedBytes: 5009 },
    { firstLine: 3, lastLine: 3 },
  ]);
});

const [A, B, C] = REQUESTS;
const [PROTO_A, PROTO_B, PROTO_C] = [protobuf(A, 3), protobuf(B, 1), protobuf(C, 2)];
const framed = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const cutOff = (place: number, has: number, of: number) =>
  `byte ${place}: truncated: the request that begins there has ${has} of its ${of} bytes`;
const frameA = lengthDelimited(A);
const tornB = lengthDelimited(B).subarray(0, -30);
const noRequest = Uint8Array.of(0x0a, 2, 0x0b, 0);
const NO_TAG = "no valid field tag (field 0, a group, or more than 32 bits)";

const PROTO_FILES = [
  {
    name: "a message that is not a request",
    bytes: lengthDelimited(A, noRequest, B),
    items: [
      PROTO_A,
      `byte ${frameA.length}: this is not a trace request: at byte 2 of it: ${NO_TAG} (8 B)`,
      PROTO_B,
    ],
  },
  {
    name: "a torn message before others",
    bytes: framed(frameA, tornB, lengthDelimited(A, C)),
    items: [
      PROTO_A,
      expect.stringMatching(
        new RegExp(
          `^byte ${frameA.length}: this is not a trace request: .*\\(${tornB.length} B\\)$`,
        ),
      ),
      PROTO_A,
      PROTO_C,
    ],
  },
  {
    name: "a message without the end of its last text",
    bytes: framed(frameA, frameA.subarray(0, -7), lengthDelimited(B, C)),
    items: [
      PROTO_A,
      `byte ${frameA.length}: truncated: another request begins inside it (${frameA.length - 7} B)`,
      PROTO_B,
      PROTO_C,
    ],
  },
  {
    name: "a torn message at the end",
    bytes: framed(frameA, tornB),
    items: [PROTO_A, `${cutOff(frameA.length, B.length - 30, B.length)} (${tornB.length} B)`],
  },
  {
    name: "a truncated length",
    bytes: framed(frameA, Uint8Array.of(0, 0)),
    items: [PROTO_A, `byte ${frameA.length}: truncated within a length (2 B)`],
  },
  {
    name: "an impossible length",
    bytes: framed(frameA, Uint8Array.of(0xff, 0xff, 0xff, 0xff), lengthDelimited(B)),
    items: [
      PROTO_A,
      `byte ${frameA.length}: a request of 4294967295 bytes; the maximum is 268435456 (4 B)`,
      PROTO_B,
    ],
  },
  {
    name: "zero bytes at the beginning, in the middle and at the end",
    bytes: framed(textBytes(NULS), frameA, textBytes(NULS), lengthDelimited(B), textBytes(NULS)),
    items: [
      nuls("byte 0", 64),
      PROTO_A,
      nuls(`byte ${64 + frameA.length}`, 64),
      PROTO_B,
      nuls(`byte ${128 + frameA.length + 4 + B.length}`, 64),
    ],
  },
  {
    name: "only zero bytes",
    bytes: textBytes(NULS.repeat(100)),
    items: [nuls("byte 0", 6400)],
  },
  {
    name: "a missing beginning",
    bytes: framed(frameA.subarray(50), lengthDelimited(B, C)),
    items: [`byte 0: neither OTLP/JSON nor protobuf (${frameA.length - 50} B)`, PROTO_B, PROTO_C],
  },
  {
    name: "another format",
    bytes: framed(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), new Uint8Array(100_000).fill(7)),
    items: ["byte 0: neither OTLP/JSON nor protobuf (100004 B)"],
  },
];

const BARE_FILES = [
  {
    name: "a field that is not a ResourceSpans",
    bytes: framed(A, noRequest, B),
    items: [
      PROTO_A,
      `byte ${A.length}: this is not a trace request: at byte 2 of it: ${NO_TAG} (4 B)`,
      PROTO_B,
    ],
  },
  {
    name: "a truncated field",
    bytes: framed(A, B.subarray(0, -5)),
    items: [
      PROTO_A,
      `byte ${A.length}: truncated: the field that begins there has ${B.length - 5} ` +
        `of its ${B.length} bytes (${B.length - 5} B)`,
    ],
  },
  {
    name: "other data after the request",
    bytes: framed(A, Uint8Array.of(0x0b, 1), new Uint8Array(200_000).fill(0x0b)),
    items: [PROTO_A, `byte ${A.length}: not a field of a trace request (200002 B)`],
  },
];

test.each([...PROTO_FILES])(
  "broken protobuf frames are reported: $name",
  async ({ bytes, items }) => {
    for (const chunkBytes of [1, 7, 1000, 100_000]) {
      expect((await itemsOf(bytes, chunkBytes)).map(read)).toEqual(items);
    }
  },
);

test.each([...BARE_FILES])("a broken bare request is reported: $name", async ({ bytes, items }) => {
  for (const chunkBytes of [1, 7, 1000, 100_000]) {
    expect((await itemsOf(bytes, chunkBytes)).map(read)).toEqual(items);
  }
});

test("every truncation of a file of frames is reported without a wrong request", async () => {
  const bytes = lengthDelimited(...REQUESTS);
  const ends = REQUESTS.map((_, at) => lengthDelimited(...REQUESTS.slice(0, at + 1)).length);

  for (let length = 1; length < bytes.length; length += 1) {
    const whole = ends.filter((end) => end <= length);
    const cutAt = whole.at(-1) ?? 0;
    const items = await itemsOf(bytes.subarray(0, length));

    expect(items.slice(0, whole.length).map(read)).toEqual(
      [PROTO_A, PROTO_B, PROTO_C].slice(0, whole.length),
    );
    expect(items.slice(whole.length)).toMatchObject(
      cutAt === length ? [] : [{ first: cutAt, skippedBytes: length - cutAt }],
    );
  }
});

test("after a read error, the earlier requests and the reason are returned", async () => {
  const between = await Array.fromAsync(readRequests(failing(`${LINE_A}\n`)));
  const within = await Array.fromAsync(readRequests(failing(`${LINE_A}\n${TORN}`)));

  const reason = "cannot read further: the device reports a read or write error (? B)";
  expect(between.map(read)).toEqual([JSON_A, `byte ${LINE_A.length + 1}: ${reason}`]);
  expect(within.map(read)).toEqual([
    JSON_A,
    "line 2: incomplete or invalid JSON: the file ends inside it (40 B)",
    `byte ${LINE_A.length + 41}: ${reason}`,
  ]);
});

async function* failing(text: string) {
  yield textBytes(text);
  throw new Error("EIO: i/o error, read");
}
