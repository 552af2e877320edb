import { expect, test } from "bun:test";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";
import { MAX_REQUEST_BYTES } from "../../../src/adapters/otlp-files/file-request.ts";
import { splitRequest } from "../../../src/adapters/otlp-files/request-split.ts";
import { chunksOf } from "../../support/requests/byte-chunks.ts";
import { varint } from "../../support/requests/wire-bytes.ts";

const HEAD_BYTES = 1 + 4;

/** The beginning of a field that says to be so long, with tag and length. */
function beginOfField(fieldBytes: number): Uint8Array {
  return Uint8Array.from([0x0a, ...varint(fieldBytes - HEAD_BYTES), 1, 2, 3]);
}

test.each([
  {
    fieldBytes: MAX_REQUEST_BYTES,
    fault: `cut off: the field that begins there has 8 of its ${MAX_REQUEST_BYTES} bytes`,
  },
  { fieldBytes: MAX_REQUEST_BYTES + 1, fault: "this is not a field of a trace request" },
])("a field of $fieldBytes bytes is waited for up to the limit: $fault", async (field) => {
  const begin = beginOfField(field.fieldBytes);

  const pieces = await Array.fromAsync(splitRequest(openSource(chunksOf(begin, 4))));

  expect(begin).toHaveLength(HEAD_BYTES + 3);
  expect(pieces).toMatchObject([{ fault: field.fault, first: 0 }]);
});

test("bytes that are no field are found out", async () => {
  const noTag = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

  const pieces = await Array.fromAsync(splitRequest(openSource(chunksOf(noTag, 4))));

  expect(pieces).toMatchObject([{ fault: "this is not a field of a trace request", first: 0 }]);
});
