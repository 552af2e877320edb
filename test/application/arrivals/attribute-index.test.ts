import { expect, test } from "bun:test";
import { AttributeIndex } from "../../../src/application/arrivals/hash-index.ts";
import type { AttributeHashes } from "../../../src/domain/query/filter-key.ts";
import { filterKeys } from "../../../src/domain/query/span-filter.ts";
import { placesOf } from "../../support/requests/matched-spans.ts";
import { attribute, request, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField, wideBytesField } from "../../support/requests/wire-bytes.ts";

function hashesOf(key: string, value: string): AttributeHashes {
  const [found] = filterKeys([{ on: "attribute", key, value }]);
  if (found?.on !== "attribute") throw new Error("an attribute is a key");
  return found;
}

/** One span with these attributes, in a resource with those. */
function place({ own = [] as number[][], around = [] as number[][] }) {
  const resource = around.map((body) => bytesField(1, body));
  const fields = own.map((body) => bytesField(9, body));
  const bytes = request(
    bytesField(1, bytesField(1, ...resource), bytesField(2, span(1, ...fields))),
  );
  return placesOf(bytes)[0]!;
}

const INT = [...bytesField(1, "code"), ...bytesField(2, varintField(3, 200))];
/** The same text, with a length that takes more bytes than it need. */
const WIDE = [
  ...wideBytesField(1, { tag: 1, length: 2 }, [0x6b]),
  ...bytesField(2, bytesField(1, "a")),
];

test.each<{ name: string; own: number[][]; key: string; value: string; isFound: boolean }>([
  { name: "a text", own: [attribute("k", "a")], key: "k", value: "a", isFound: true },
  { name: "another text", own: [attribute("k", "b")], key: "k", value: "a", isFound: false },
  { name: "another key", own: [attribute("j", "a")], key: "k", value: "a", isFound: false },
  { name: "the second", own: [INT, attribute("k", "a")], key: "k", value: "a", isFound: true },
  { name: "a text in an odd form", own: [WIDE], key: "k", value: "a", isFound: true },
  { name: "a number", own: [INT], key: "code", value: "200", isFound: true },
  { name: "a number for a text", own: [INT], key: "code", value: "x", isFound: false },
])("a value is found by its attribute: $name", ({ own, key, value, isFound }) => {
  const wanted = new AttributeIndex<string>();
  wanted.add(hashesOf(key, value), "who");
  const [ofSpan, ofResource, ofOther] = [[], [], []] as string[][];

  wanted.ofSpan(place({ own }), (found) => ofSpan!.push(...found));
  wanted.ofResource(place({ around: own }), (found) => ofResource!.push(...found));
  wanted.ofSpan(place({ around: own }), (found) => ofOther!.push(...found));

  const found = isFound ? ["who"] : [];
  expect([ofSpan, ofResource, ofOther]).toEqual([found, found, []]);
});

test("values under the same attribute are found together, and counted", () => {
  const wanted = new AttributeIndex<string>();
  for (const who of ["one", "other"]) wanted.add(hashesOf("k", "200"), who);
  const found: string[] = [];

  wanted.ofSpan(place({ own: [attribute("k", "200")] }), (each) => found.push(...each));

  expect(found).toEqual(["one", "other"]);
  const counts = ["200", "true", "text"].map((value) => wanted.countAt(hashesOf("k", value)));
  // What may be a number is found by any number, and any boolean.
  expect(counts).toEqual([2, 2, 0]);
});

test("a removed value is not found", () => {
  const wanted = new AttributeIndex<string>();
  wanted.add(hashesOf("k", "200"), "who");
  const before = wanted.isEmpty;
  const found: string[] = [];

  wanted.remove(hashesOf("k", "200"), "who");
  wanted.ofSpan(place({ own: [attribute("k", "200")] }), (each) => found.push(...each));

  expect([before, wanted.isEmpty, found]).toEqual([false, true, []]);
});
