import type { SeededRandom } from "../support/disk/seeded-random.ts";

/** Bytes with a special meaning in some format: ends of varints, signs, quotes, ends of lines. */
const SPECIAL_BYTES = [0, 1, 0x0a, 0x0d, 0x22, 0x2c, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xff];
const MAX_MUTATIONS = 4;
/** The maximum size of a payload. */
const MAX_BYTES = 4_096;

type Mutation = (bytes: Uint8Array, at: number, random: SeededRandom) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (bytes, at, random) => withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.between(0, 7))),
  (bytes, at, random) => withByte(bytes, at, random.pick(SPECIAL_BYTES)),
  (bytes, at, random) => withByte(bytes, at, random.between(0, 255)),
  (bytes, at, random) => spliced(bytes, [at, at], Uint8Array.of(random.pick(SPECIAL_BYTES))),
  (bytes, at, random) => spliced(bytes, [at, at + random.between(1, 8)], new Uint8Array()),
  (bytes, at, random) => spliced(bytes, [at, at], rangeOf(bytes, random)),
  (bytes, at, random) => spliced(bytes, [at, at + random.between(1, 16)], rangeOf(bytes, random)),
  (bytes, at) => bytes.subarray(0, at),
];

/** Returns the bytes with up to four random changes. */
export function mutated(bytes: Uint8Array, random: SeededRandom): Uint8Array<ArrayBuffer> {
  let changed = bytes;
  for (let left = random.between(1, MAX_MUTATIONS); left > 0; left -= 1) {
    changed = random.pick(MUTATIONS)(changed, random.between(0, changed.length), random);
  }
  return new Uint8Array(changed.subarray(0, MAX_BYTES));
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = byte;
  return copy;
}

function spliced(
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
  inserted: Uint8Array,
): Uint8Array {
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(to)]);
}

/** Returns up to 64 of the bytes, which repeat or move a field when inserted. */
function rangeOf(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.between(0, bytes.length);
  return bytes.subarray(from, from + random.between(1, 64));
}
