import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { writeScalar } from "../../../../src/adapters/otlp/json/json-scalar-writer.ts";
import type { ScalarKind } from "../../../../src/adapters/otlp/json/json-shape.ts";
import {
  createJsonWriter,
  readFrom,
  takeAll,
} from "../../../../src/adapters/otlp/json/json-writer.ts";

function written(kind: ScalarKind, bytes: Uint8Array): string {
  const writer = createJsonWriter();
  readFrom(writer, bytes);
  writeScalar(writer, kind, 0, bytes.length);
  return Buffer.concat(takeAll(writer)).toString();
}

/** Around each step of three bytes, and of the pieces in which long values are written. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 16, 3071, 3072, 3073, 3074, 50_000, 100_001];

test.each(LENGTHS)("%d bytes are written in hex and in base64", (length) => {
  const bytes = Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 37) % 256));

  expect(written("hex", bytes)).toBe(`"${bytes.toString("hex")}"`);
  expect(written("base64", bytes)).toBe(`"${bytes.toString("base64")}"`);
});

test("any double is written as by JSON.stringify, except those that it cannot express", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const text = written("double", new Uint8Array(new Float64Array([value]).buffer));

      expect(Number(JSON.parse(text))).toBe(value);
      expect([JSON.stringify(value), "-0", `"${value}"`]).toContain(text);
    }),
  );
});
