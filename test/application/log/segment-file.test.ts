import { expect, test } from "bun:test";
import { crc32 } from "../../../src/adapters/disk/directory-disk.ts";
import {
  decodeRanges,
  emptyRecord,
  encodeRanges,
  readRecord,
  recordBytes,
  REQUEST,
  segmentBytes,
  writeRecordHead,
  decodeSegmentHeader,
  encodeSegmentHeader,
  parseSegmentName,
  segmentFileName,
} from "../../../src/application/log/segment-file.ts";

const seal = { checksum: crc32, salt: 0x1234_5678 };
const payload = Uint8Array.from({ length: 21 }, (_, index) => index + 100);
const fields = {
  type: REQUEST,
  cause: 3,
  firstSequence: 2 ** 53 - 2,
  spanCount: 2 ** 32 - 1,
  spanBytes: 4_000_000_000,
  value: 1_700_000_000_123.5,
  syncedBytes: 64_000,
};

/** Returns a record for byte 64 of its file, with the padding after it. */
function written(salt = seal.salt): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(recordBytes(payload.length));
  bytes.set(payload, 48);
  const into = segmentBytes(bytes, 64, { ...seal, salt });
  writeRecordHead(into, 0, { ...fields, offsetBytes: 64 }, payload);
  return bytes;
}

function isRead(bytes: Uint8Array, offsetBytes = 64): boolean {
  return readRecord(segmentBytes(bytes, offsetBytes, seal), 0, emptyRecord());
}

test("a record is read as written; it has a header of 48 bytes and is padded to 8", () => {
  const record = emptyRecord();

  const isWhole = readRecord(segmentBytes(written(), 64, seal), 0, record);

  expect(isWhole).toBe(true);
  expect(record).toEqual({ ...fields, payloadBytes: 21 });
  expect([recordBytes(0), recordBytes(16), recordBytes(17), recordBytes(21)]).toEqual([
    48, 64, 72, 72,
  ]);
});

test("a flipped bit invalidates a record, except in its padding", () => {
  const bytes = written();
  const unnoticed: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (isRead(bytes)) unnoticed.push(bit >> 3);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }

  expect([...new Set(unnoticed)]).toEqual([69, 70, 71]);
});

test("a truncated record is invalid", () => {
  for (let length = 0; length < 48 + payload.length; length += 1) {
    expect({ length, isRead: isRead(written().subarray(0, length)) }).toEqual({
      length,
      isRead: false,
    });
  }
  expect(isRead(written().subarray(0, 48 + payload.length))).toBe(true);
});

test("a record from another segment or offset is invalid", () => {
  expect([isRead(written(1)), isRead(written(), 72), isRead(written())]).toEqual([
    false,
    false,
    true,
  ]);
});

test("ranges are decoded as they were encoded", () => {
  const ranges = [
    { first: 1, end: 2 },
    { first: 10, end: 2 ** 53 - 1 },
  ];
  const bytes = encodeRanges(ranges);

  expect(decodeRanges(new DataView(bytes.buffer), 0, bytes.length)).toEqual(ranges);
});

test("the checksum is the CRC-32 of IEEE 802.3, even if computed in pieces", () => {
  const text = new TextEncoder().encode("123456789");

  expect(crc32(text, 0)).toBe(0xcb_f4_39_26);
  expect(crc32(text.subarray(4), crc32(text.subarray(0, 4), 0))).toBe(0xcb_f4_39_26);
});

const header = {
  firstSequence: 12_345_678_901,
  previousEnd: 12_345_678_900,
  openingBytes: 160,
  runId: "00112233445566778899aabbccddeeff",
  createdUnixMs: 1_700_000_000_000,
};

test("a segment's name contains its number, its salt and its format", () => {
  const name = segmentFileName({ number: 42, salt: 0x9f3a });

  expect(name).toBe("spans-000000000042-00009f3a.v1");
  expect(parseSegmentName(name)).toEqual({ number: 42, salt: 0x9f3a, version: 1 });
});

test.each(["lock", "spans-1-9f3a.v1", "spans-000000000042-9f3a5c7e", "x.v1", ""])(
  "%p is not the name of a segment",
  (name) => {
    expect(parseSegmentName(name)).toBeUndefined();
  },
);

test("a header is decoded as it was encoded", () => {
  expect(decodeSegmentHeader(encodeSegmentHeader(header, seal), seal)).toEqual(header);
});

test("a header that is truncated, or in which a bit is flipped, is invalid", () => {
  const bytes = encodeSegmentHeader(header, seal);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeSegmentHeader(bytes, seal)).toBeUndefined();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }

  expect(decodeSegmentHeader(bytes.subarray(0, 63), seal)).toBeUndefined();
  expect(decodeSegmentHeader(bytes, { ...seal, salt: 8 })).toBeUndefined();
});
