import { expect, test } from "bun:test";
import {
  FLAGS_TAG,
  FLAGS_TAG_BYTE_0,
  FLAGS_TAG_BYTE_1,
} from "../../../src/domain/wire/otlp-tags.ts";
import { writeVarint } from "../../../src/domain/wire/scalars.ts";

// All other constants are checked by their types, which derive from the schema table.
test("the two bytes of the tag of flags are its varint", () => {
  const encoded = new Uint8Array(2);

  expect(writeVarint(encoded, 0, FLAGS_TAG)).toBe(2);
  expect([...encoded]).toEqual([FLAGS_TAG_BYTE_0, FLAGS_TAG_BYTE_1]);
});
