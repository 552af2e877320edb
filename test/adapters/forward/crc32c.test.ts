import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { crc32c } from "../../../src/adapters/forward/crc32c.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";

// Source: RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
test.each([
  { name: "nothing", bytes: new Uint8Array(), crc: 0 },
  { name: "the digits from 1 to 9", bytes: Buffer.from("123456789"), crc: 0xe306_9283 },
  { name: "32 bytes of zeros", bytes: new Uint8Array(32), crc: 0x8a91_36aa },
  { name: "32 bytes of ones", bytes: new Uint8Array(32).fill(0xff), crc: 0x62a8_ab43 },
])("the CRC of $name is known", ({ bytes, crc }) => {
  expect(crc32c([bytes])).toBe(crc);
});

test("the polynomial of the distances is a multiple of that of CRC-32C", () => {
  const distances = [0, 65, 155, 170, 195, 209];
  let sum = distances.reduce((bits, distance) => bits | (1n << BigInt(209 - distance)), 0n);
  for (let power = 209n; power >= 32n; power -= 1n) {
    if ((sum >> power) & 1n) sum ^= 0x1_1edc_6f41n << (power - 32n);
  }
  expect(sum).toBe(0n);
});

const NOISE = Uint8Array.from({ length: 200_000 }, (_, at) => (at * at * 2_654_435_761) >>> 13);

/** Computes it bit by bit, as it is defined. */
function crcBitByBit(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

test("from the first word that is removed, each length has the CRC as defined", () => {
  for (let length = 1_600; length < 1_800; length += 1) {
    const bytes = NOISE.subarray(0, length);
    expect([length, crc32c([bytes])]).toEqual([length, crcBitByBit(bytes)]);
  }
});

test("bytes cut into chunks in any way, of many blocks, have the CRC as defined", () => {
  const cuts = fc.array(fc.nat(NOISE.length), { maxLength: 12 });
  const property = fc.property(cuts, fc.nat(NOISE.length), (places, end) => {
    const bytes = NOISE.subarray(0, end);
    const ends = [...places.filter((place) => place < end).toSorted((a, b) => a - b), end];
    const chunks = ends.map((to, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], to));
    expect(crc32c(chunks)).toBe(crcBitByBit(bytes));
  });
  fc.assert(property, { numRuns: fuzzRuns(100) });
});
