import { expect, test } from "bun:test";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import {
  BAD_FIELD_TAG,
  BAD_VARINT,
  FIELD_OF_WRONG_TYPE,
  NO_FAULT,
  OVERRUN,
} from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { decodeSpans, disagreement } from "../../support/requests/decoded-request.ts";
import { handBuiltRequests } from "../../support/requests/hand-built-requests.ts";
import { largeField, repeated } from "../../support/requests/large-bytes.ts";
import { referenceWalk } from "../../support/oracles/reference-walk.ts";
import {
  attribute,
  request,
  requestOf,
  spanBody,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { answerOf } from "../../support/oracles/walk-answer.ts";
import {
  bytesField,
  fixed64Field,
  groupField,
  tag,
  varintField,
  wideVarint,
} from "../../support/requests/wire-bytes.ts";

const limits = { spansPerRequest: 1_000, nestingDepth: 100 };
const walked = createWalkedRequest(limits);

function faultOf(bytes: Uint8Array): number {
  walkRequest(walked, bytes);
  return walked.fault;
}

/** Reports whether protobufjs can decode these bytes. */
function isDecodable(bytes: Uint8Array): boolean {
  try {
    decodeSpans(bytes);
    return true;
  } catch {
    return false;
  }
}

const requests = Object.entries(handBuiltRequests);

test.each(requests)("the walk and protobufjs find the same spans: %s", (_, bytes) => {
  expect(faultOf(bytes)).toBe(NO_FAULT);
  expect(walked.spanCount).toBeGreaterThan(0);
  expect(disagreement(walked)).toBeUndefined();
});

test.each(requests)(
  "a truncated request is accepted only if protobufjs decodes it: %s",
  (_, bytes) => {
    const lengths = Array.from(bytes.keys());
    const isAccepted = (length: number) => faultOf(bytes.subarray(0, length)) === NO_FAULT;

    const accepted = lengths.filter(isAccepted);

    expect(accepted).toEqual(lengths.filter((length) => isDecodable(bytes.subarray(0, length))));
    expect(accepted.filter((length) => isAccepted(length) && disagreement(walked))).toEqual([]);
  },
);

test.each([
  { name: "one short span", fieldCount: 1 },
  { name: "two resources, four scopes", fieldCount: 3 },
  { name: "unknown fields at every level", fieldCount: 9 },
])("a request may end before each of its fields: $name, $fieldCount", ({ name, fieldCount }) => {
  const bytes = handBuiltRequests[name]!;

  const accepted = bytes.keys().filter((length) => faultOf(bytes.subarray(0, length)) === NO_FAULT);

  expect([...accepted]).toHaveLength(fieldCount);
});

// Short requests are tested with every other value of every byte; longer ones with the values that
// turn a varint, a wire type or a length into another, and a few more.
test.each(requests)("a changed byte is refused or read as by protobufjs: %s", (_, bytes) => {
  const corrupted = Uint8Array.from(bytes);
  const wrong: string[] = [];
  let acceptedCount = 0;
  for (const [at, original] of bytes.entries()) {
    for (const value of otherValues(original, { isAll: bytes.length < 200, seed: at })) {
      corrupted[at] = value;
      const expected = referenceWalk(corrupted, limits);
      const fault = faultOf(corrupted);
      const isSame = Bun.deepEquals(answerOf(walked), expected);
      const differs = fault === NO_FAULT ? disagreement(walked) : undefined;
      if (!isSame || differs !== undefined) wrong.push(`byte ${at} = ${value}: ${differs}`);
      acceptedCount += fault === NO_FAULT ? 1 : 0;
    }
    corrupted[at] = original;
  }

  expect(wrong).toEqual([]);
  expect(acceptedCount).toBeGreaterThan(0);
});

const span = (...fields: number[][]) =>
  request(bytesField(1, bytesField(2, bytesField(2, spanBody(1), ...fields))));

const nineFull = Array<number>(9).fill(0xff);

// The walk is intentionally stricter than protobufjs here. No encoder writes these cases.
test.each([
  { name: "a group", bytes: span(groupField(20, varintField(1, 1))), fault: BAD_FIELD_TAG },
  { name: "a group with a known number", bytes: span(groupField(9)), fault: BAD_FIELD_TAG },
  { name: "a name as a number", bytes: span(varintField(5, 1)), fault: FIELD_OF_WRONG_TYPE },
  { name: "a time as text", bytes: span(bytesField(7, "now")), fault: FIELD_OF_WRONG_TYPE },
  { name: "a kind as bytes", bytes: span(bytesField(6, [2])), fault: FIELD_OF_WRONG_TYPE },
  {
    name: "resource spans as a number",
    bytes: request(varintField(1, 1)),
    fault: FIELD_OF_WRONG_TYPE,
  },
  {
    name: "an attribute where a scope has a number",
    bytes: request(bytesField(1, bytesField(2, bytesField(1, bytesField(4, attribute("k", "v")))))),
    fault: FIELD_OF_WRONG_TYPE,
  },
  {
    name: "an attribute where a key has a number",
    bytes: span(bytesField(9, bytesField(3, attribute("k", "v")))),
    fault: FIELD_OF_WRONG_TYPE,
  },
  { name: "2^64 as a kind", bytes: span([...tag(6, 0), ...nineFull, 2]), fault: BAD_VARINT },
  {
    name: "a number of 70 bits",
    bytes: span([...tag(20, 0), ...nineFull, 0x7f]),
    fault: BAD_VARINT,
  },
])("protobufjs accepts $name, and the walk refuses it", ({ bytes, fault }) => {
  expect(isDecodable(bytes)).toBe(true);
  expect(faultOf(bytes)).toBe(fault);
});

test.each([
  { name: "field 0", bytes: span([0x02, 0]), fault: BAD_FIELD_TAG },
  { name: "field 0, in two bytes", bytes: span([0x80, 0]), fault: BAD_FIELD_TAG },
  { name: "wire type 6", bytes: span([0xa6, 1]), fault: BAD_FIELD_TAG },
  { name: "wire type 7", bytes: span([0xa7, 1]), fault: BAD_FIELD_TAG },
  {
    name: "the end of a group without its beginning",
    bytes: span(tag(20, 4)),
    fault: BAD_FIELD_TAG,
  },
  { name: "a group that does not end", bytes: span(tag(20, 3)), fault: BAD_FIELD_TAG },
  {
    name: "a tag of 33 bits",
    bytes: span([0xf8, 0xff, 0xff, 0xff, 0x1f, 0]),
    fault: BAD_FIELD_TAG,
  },
  { name: "a tag of six bytes", bytes: span([...wideVarint(160, 6), 0]), fault: BAD_FIELD_TAG },
  { name: "a tag that does not end", bytes: span([0x80]), fault: BAD_FIELD_TAG },
  { name: "a length of six bytes", bytes: span([0x2a, ...wideVarint(1, 6), 0]), fault: BAD_VARINT },
  {
    name: "a length of ten bytes",
    bytes: span([0x2a, ...wideVarint(1, 10), 0]),
    fault: BAD_VARINT,
  },
  { name: "a length that does not end", bytes: span([0x2a, 0x80]), fault: BAD_VARINT },
  { name: "a length that is missing", bytes: span([0x2a]), fault: BAD_VARINT },
  { name: "a length of 4 GiB", bytes: span([0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f]), fault: OVERRUN },
  {
    name: "a length that wraps 32 bits",
    bytes: span([0x2a, 0x80, 0x80, 0x80, 0x80, 0x10]),
    fault: OVERRUN,
  },
  {
    name: "a number of eleven bytes",
    bytes: span([0x30, ...wideVarint(1, 11)]),
    fault: BAD_VARINT,
  },
  { name: "a number that does not end", bytes: span([0x30, 0x80]), fault: BAD_VARINT },
  { name: "a number that is missing", bytes: span([0x30]), fault: BAD_VARINT },
  { name: "seven of eight bytes", bytes: span([0x39, 1, 2, 3, 4, 5, 6, 7]), fault: OVERRUN },
  { name: "three of four bytes", bytes: span([0x85, 1, 1, 2, 3]), fault: OVERRUN },
  { name: "a name one byte too long", bytes: span([0x2a, 4, 1, 2, 3]), fault: OVERRUN },
  {
    name: "an attribute beyond its span",
    bytes: span([0x4a, 6, 0x0a, 0, 0x12, 1]),
    fault: OVERRUN,
  },
  { name: "a key beyond its attribute", bytes: span([0x4a, 3, 0x0a, 2, 0x61]), fault: OVERRUN },
  {
    name: "a value beyond its attribute",
    bytes: span([0x4a, 7, 0x0a, 1, 0x61, 0x12, 3, 0x18, 1]),
    fault: OVERRUN,
  },
])("protobufjs and the walk both refuse $name", ({ bytes, fault }) => {
  expect(isDecodable(bytes)).toBe(false);
  expect(faultOf(bytes)).toBe(fault);
});

test.each([
  { name: "a length in five bytes", bytes: span([0x2a, ...wideVarint(1, 5), 0x61]) },
  { name: "a tag in five bytes", bytes: span([...wideVarint(0x2a, 5), 1, 0x61]) },
  { name: "a number in ten bytes", bytes: span([0x30, ...wideVarint(1, 10)]) },
  { name: "2^64 - 1", bytes: span([0x30, ...nineFull, 1]) },
  { name: "the largest field number", bytes: span([...tag(2 ** 29 - 1, 0), 1]) },
  { name: "text that is not UTF-8", bytes: span([0x2a, 2, 0xc0, 0xff]) },
  { name: "half a surrogate pair in text", bytes: span([0x2a, 3, 0xed, 0xa0, 0x80]) },
  { name: "two statuses", bytes: span(bytesField(15, [0x18, 1]), bytesField(15, [0x18, 2])) },
  { name: "a value of two kinds", bytes: span(bytesField(9, bytesField(2, [0x18, 1, 0x10, 1]))) },
  { name: "an empty request", bytes: new Uint8Array(0) },
])("protobufjs and the walk both accept $name, and agree", ({ bytes }) => {
  expect(faultOf(bytes)).toBe(NO_FAULT);
  expect(disagreement(walked)).toBeUndefined();
});

// [12][80 80 0a][10 ...]: with a length of two bytes, [0a 10] would begin a span of 16,384 bytes.
test("a length of three bytes is not taken for one of two", () => {
  const ids = [...bytesField(1, traceId(2)), ...bytesField(2, spanId(2))];
  const misread = [...ids, ...bytesField(5, "x"), ...repeated(fixed64Field(7, 0n), 1_817)];
  const second = Uint8Array.from([0x12, 0x80, 0x80, ...misread, ...new Uint8Array(0x0a << 14)]);
  const body = second.subarray(0, 4 + (0x0a << 14));
  const bytes = largeField(1, largeField(2, bytesField(2, spanBody(1)), body));

  expect(misread).toHaveLength(16_384);
  expect(faultOf(bytes)).toBe(FIELD_OF_WRONG_TYPE);
  expect(walked.faultOffsetBytes).toBe(bytes.length - (0x0a << 14));
});

test("a fault has the offset of its field", () => {
  const good = requestOf(1);
  const bytes = Uint8Array.from([...good, ...bytesField(1, bytesField(2, [0x07]))]);

  expect(faultOf(bytes)).toBe(BAD_FIELD_TAG);
  expect(walked.faultOffsetBytes).toBe(good.length + 4);
});

function otherValues(original: number, { isAll, seed }: { isAll: boolean; seed: number }) {
  const telling = [0x00, 0x01, 0x7f, 0x80, 0xff, original + 1, original - 1, original ^ 0x80];
  const flipped = [0, 1, 2, 3, 4, 5, 6].map((bit) => original ^ (1 << bit));
  const some = Array.from({ length: 4 }, (_, index) => seed * 37 + index * 101 + 11);
  const values = isAll ? Array(256).keys() : [...telling, ...flipped, ...some];
  return new Set(Array.from(values, (value) => value & 0xff)).difference(new Set([original]));
}
