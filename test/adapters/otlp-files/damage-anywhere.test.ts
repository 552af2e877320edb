import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { lengthDelimited, textBytes } from "../../support/requests/byte-chunks.ts";
import { itemsOf, json, protobuf, read } from "../../support/requests/file-items.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

// Goal: damage to one request of a file never prevents the others from being read.
// Method: the middle one of seven requests loses bytes, or has zeros or other bytes instead.

const REQUESTS = Array.from({ length: 7 }, (_, at) => requestOf(1 + (at % 3), 1 + at * 10));
const DAMAGED = 3;
const OTHERS = REQUESTS.filter((_, at) => at !== DAMAGED);

type Damage = (bytes: Uint8Array, from: number, length: number) => Uint8Array;

const DAMAGES: readonly { readonly name: string; readonly damage: Damage }[] = [
  {
    name: "loses bytes",
    damage: (bytes, from, length) =>
      Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]),
  },
  {
    name: "has zero bytes instead",
    damage: (bytes, from, length) => new Uint8Array(bytes).fill(0, from, from + length),
  },
  {
    name: "has other bytes instead",
    damage: (bytes, from, length) => new Uint8Array(bytes).fill(0xff, from, from + length),
  },
];

/** The offset and the length of the damage, and the size of the chunks. */
const places = fc.tuple(fc.nat(10_000), fc.integer({ min: 1, max: 10_000 }), fc.nat(200));

async function found(
  frames: readonly Uint8Array[],
  damage: Damage,
  [from, length, chunkBytes]: [number, number, number],
): Promise<string[]> {
  const damaged = frames[DAMAGED]!;
  const at = from % damaged.length;
  const part = damage(damaged, at, 1 + (length % (damaged.length - at)));
  const file = Buffer.concat(frames.map((frame, index) => (index === DAMAGED ? part : frame)));
  return (await itemsOf(file, 1 + chunkBytes)).map(read);
}

test.each(DAMAGES)("a line that $name anywhere affects no other line", async ({ damage }) => {
  const lines = REQUESTS.map((request) => textBytes(`${otlpJson(request)}\n`));
  const others = OTHERS.map((request) => json(otlpJson(request), spansIn(request)));

  await fc.assert(
    fc.asyncProperty(places, async (place) => {
      expect(await found(lines, damage, place)).toEqual(expect.arrayContaining(others));
    }),
  );
});

test("one wrong byte anywhere in the first line affects no other line", async () => {
  const [first, ...rest] = REQUESTS.map((request) => textBytes(`${otlpJson(request)}\n`));
  const others = REQUESTS.slice(1).map((request) => json(otlpJson(request), spansIn(request)));

  for (const byte of [0, 1, 0x0a, 0x0b, 0x7f, 0xff]) {
    for (let at = 0; at < 40; at += 1) {
      const damaged = new Uint8Array(first!).fill(byte, at, at + 1);
      const items = await itemsOf(Buffer.concat([damaged, ...rest]), 8_192);
      expect(items.map(read)).toEqual(expect.arrayContaining(others));
    }
  }
});

test.each(DAMAGES)("a message that $name anywhere affects no other message", async ({ damage }) => {
  const frames = REQUESTS.map((request) => lengthDelimited(request));
  const others = OTHERS.map((request) => protobuf(request, spansIn(request)));

  await fc.assert(
    fc.asyncProperty(places, async (place) => {
      expect(await found(frames, damage, place)).toEqual(expect.arrayContaining(others));
    }),
  );
});

function spansIn(request: Uint8Array): number {
  return 1 + (REQUESTS.findIndex((each) => each === request) % 3);
}
