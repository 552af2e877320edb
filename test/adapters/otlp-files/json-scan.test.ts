import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { createJsonScan, scanJson } from "../../../src/adapters/otlp-files/json-scan.ts";
import { textBytes } from "../../support/requests/byte-chunks.ts";

/** Returns the end of the first document, "more" if it is incomplete, or the fault. */
function scanned(text: string, chunkBytes = 1000): number | string {
  const bytes = textBytes(text);
  const scan = createJsonScan();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const end = scanJson(scan, bytes.subarray(at, at + chunkBytes));
    if (scan.fault !== "") return scan.fault;
    if (end >= 0) return at + end;
  }
  return "more";
}

/** An object, with indentation or without. */
const documents = fc
  .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, "\t"))
  .map(([value, space]) => JSON.stringify(value, undefined, space));

test("the end of a document does not depend on the following bytes or on the chunks", () => {
  fc.assert(
    fc.property(documents, fc.string(), fc.integer({ min: 1, max: 9 }), (text, rest, chunk) => {
      expect(scanned(text + rest, chunk)).toBe(textBytes(text).length);
    }),
  );
});

test("a truncated document is incomplete, not faulty", () => {
  fc.assert(
    fc.property(documents, fc.nat(), (text, cut) => {
      expect(scanned(text.slice(0, cut % text.length))).toBe("more");
    }),
  );
});

test("a truncated line and the lines after it never form a document", () => {
  fc.assert(
    fc.property(documents, fc.nat(), (text, cut) => {
      const line = JSON.stringify({ spans: [JSON.parse(text)] });
      const torn = line.slice(0, 1 + (cut % (line.length - 1)));

      expect(scanned(`${torn}\n${line}\n${line}\n`)).toBeString();
    }),
  );
});

test.each([
  { text: '{"a":"b\nc"}', fault: "the line ends within a string" },
  { text: '{"a":"b\\\nc"}', fault: "the line ends within a string" },
  { text: '{"a":"\u0000"}', fault: "a string contains byte 0x00" },
  { text: '{"a":1}'.replace(":", "\u0000"), fault: "unexpected byte 0x00" },
  { text: '{"a" 1}', fault: 'unexpected "1"' },
  { text: '{"a":1 2}', fault: 'unexpected "2"' },
  { text: '{"a":[1{}]}', fault: 'unexpected "{"' },
  { text: '{"a":[1,]}', fault: 'unexpected "]"' },
  { text: '{"a":1,}', fault: 'unexpected "}"' },
  { text: '{,"a":1}', fault: 'unexpected ","' },
  { text: "{a:1}", fault: 'unexpected "a"' },
  { text: '{"a":[1}', fault: 'unexpected "}"' },
  { text: '{"a":é}', fault: "unexpected byte 0xc3" },
  { text: '{"a":}', fault: 'unexpected "}"' },
])("$text is a fault: $fault", ({ text, fault }) => {
  expect(scanned(text)).toBe(fault);
  expect(scanned(text, 1)).toBe(fault);
});

test("nesting deeper than 1,000 levels is a fault", () => {
  expect(scanned(nested(1000))).toBe(2000);
  expect(scanned(nested(1001))).toBe("nested more than 1000 deep");
});

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}
