import { expect, test } from "bun:test";
import {
  addByte,
  addJson,
  addShortJson,
  addText,
  createJsonWriter,
  takeAll,
} from "../../../../src/adapters/otlp/json/json-writer.ts";

const CHUNK_BYTES = 64 * 1024;

test("pieces of any length are joined in chunks of nearly 64 KiB", () => {
  const pieces = Array.from({ length: 400 }, (_, index) => `${index}:${"x".repeat(index * 3)}`);
  const writer = createJsonWriter();

  for (const piece of pieces) {
    addText(writer, piece);
    addByte(writer, 0x2c);
    addShortJson(writer, new TextEncoder().encode(piece));
  }

  const chunks = takeAll(writer);
  const lengths = chunks.map(({ length }) => length);
  expect(Buffer.concat(chunks).toString()).toBe(
    pieces.map((piece) => `${piece},${piece}`).join(""),
  );
  expect(Math.max(...lengths)).toBeLessThanOrEqual(CHUNK_BYTES);
  expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(CHUNK_BYTES - 4096);
});

test("JSON of any length is divided among chunks", () => {
  const long = new Uint8Array(5 * CHUNK_BYTES + 17).map((_, index) => index % 251);
  const writer = createJsonWriter();

  addJson(writer, long);

  const chunks = takeAll(writer);
  expect(new Uint8Array(Buffer.concat(chunks))).toEqual(long);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(CHUNK_BYTES);
});

test("a chunk has memory of its own, and nothing beyond itself", () => {
  const writer = createJsonWriter();
  addText(writer, "first");
  const [first] = takeAll(writer);

  addText(writer, "other");

  expect(takeAll(writer)).toHaveLength(1);
  expect(new TextDecoder().decode(first)).toBe("first");
  expect(first!.buffer.byteLength).toBe(5);
});

test("a writer without text has no chunk", () => {
  expect(takeAll(createJsonWriter())).toEqual([]);
});
