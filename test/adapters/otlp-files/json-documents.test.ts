import { expect, test } from "bun:test";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";
import { jsonDocuments } from "../../../src/adapters/otlp-files/json-documents.ts";
import { chunksOf, textBytes } from "../../support/requests/byte-chunks.ts";

test.each([1, 7, 1_000])(
  "a document may be as long as the limit, but no longer, in chunks of %d",
  async (chunkBytes) => {
    const document = textBytes('{"a":"0123456789"}');
    const read = async (maxBytes: number) => {
      const source = openSource(chunksOf(document, chunkBytes));
      return await Array.fromAsync(jsonDocuments(source, maxBytes));
    };

    const [within, beyond] = [await read(document.length), await read(document.length - 1)];

    expect(within).toMatchObject([{ firstLine: 1, fileBytes: document.length }]);
    expect(beyond).toMatchObject([{ fault: `longer than ${document.length - 1} bytes` }]);
  },
);
