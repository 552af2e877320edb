import { expect, test } from "bun:test";
import { crc32 } from "../../../src/adapters/disk/crc32.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  parseSegmentName,
  segmentFileName,
} from "../../../src/application/log/segment-file.ts";

const seal = { checksum: crc32, salt: 7 };
const header = {
  firstSequence: 12_345_678_901,
  previousEnd: 12_345_678_900,
  openingBytes: 160,
  runId: "00112233445566778899aabbccddeeff",
  createdUnixMs: 1_700_000_000_000,
};

test("a name says its number, its salt and the format", () => {
  const name = segmentFileName({ number: 42, salt: 0x9f3a });

  expect(name).toBe("spans-000000000042-00009f3a.v1");
  expect(parseSegmentName(name)).toEqual({ number: 42, salt: 0x9f3a, version: 1 });
});

test.each(["lock", "spans-1-9f3a.v1", "spans-000000000042-9f3a5c7e", "x.v1", ""])(
  "%p is no segment",
  (name) => {
    expect(parseSegmentName(name)).toBeUndefined();
  },
);

test("a header says what was written, the run too", () => {
  expect(decodeSegmentHeader(encodeSegmentHeader(header, seal), seal)).toEqual(header);
});

test("a header with any one bit flipped is none, and neither is one that is cut short", () => {
  const bytes = encodeSegmentHeader(header, seal);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeSegmentHeader(bytes, seal)).toBeUndefined();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }

  expect(decodeSegmentHeader(bytes.subarray(0, 63), seal)).toBeUndefined();
  expect(decodeSegmentHeader(bytes, { ...seal, salt: 8 })).toBeUndefined();
});
