import { expect, test } from "bun:test";
import { countItems, NO_COUNT } from "../../../src/domain/wire/item-count.ts";
import { bytesField, fixed32Field, fixed64Field, tag } from "../../support/requests/wire-bytes.ts";
import { varintField, wideBytesField, wideVarint } from "../../support/requests/wire-bytes.ts";

/** Field 1 contains messages, whose fields 2 and 3 contain the items. */
const PATH = [[1], [2, 3]];

function count(...fields: number[][]): number {
  return countItems(Uint8Array.from(fields.flat()), PATH);
}

test.each([
  { name: "an empty request", fields: [], items: 0 },
  { name: "an empty message", fields: [bytesField(1)], items: 0 },
  { name: "one item", fields: [bytesField(1, bytesField(2))], items: 1 },
  { name: "items of both fields", fields: [bytesField(1, bytesField(2), bytesField(3))], items: 2 },
  {
    name: "several messages",
    fields: [bytesField(1, bytesField(2)), bytesField(1), bytesField(1, bytesField(3, "x"))],
    items: 2,
  },
  {
    name: "other fields of every type",
    fields: [
      varintField(4, 2n ** 64n - 1n),
      fixed64Field(5, 1n),
      bytesField(1, fixed32Field(6, 1), bytesField(2), bytesField(7, bytesField(2))),
      bytesField(2, bytesField(2)),
    ],
    items: 1,
  },
  {
    name: "an item that is not a message",
    fields: [bytesField(1, bytesField(2, [0xff, 0xff]))],
    items: 1,
  },
  {
    name: "tags and lengths of five bytes",
    fields: [wideBytesField(1, { tag: 5, length: 5 }, wideBytesField(2, { tag: 5, length: 5 }))],
    items: 1,
  },
])("items are counted: $name has $items", ({ fields, items }) => {
  expect(count(...fields)).toBe(items);
});

test.each<{ name: string; fields: number[][] }>([
  { name: "field 0", fields: [[0x02, 0]] },
  { name: "a group", fields: [tag(4, 3)] },
  { name: "a tag that does not end", fields: [[0x80]] },
  { name: "a tag of six bytes", fields: [[...wideVarint(0x0a, 6), 0]] },
  { name: "a message as a number", fields: [varintField(1, 1)] },
  { name: "an item as a number", fields: [bytesField(1, varintField(2, 1))] },
  { name: "a length that is missing", fields: [[0x0a]] },
  { name: "a length beyond the request", fields: [[0x0a, 1]] },
  { name: "a length beyond its message", fields: [bytesField(1, [0x12, 1]), bytesField(4)] },
  { name: "a length of six bytes", fields: [[0x0a, ...wideVarint(0, 6)]] },
  { name: "a length of 4 GiB", fields: [[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]] },
  { name: "seven of eight bytes", fields: [[0x29, 1, 2, 3, 4, 5, 6, 7]] },
  { name: "a number that does not end", fields: [[0x20, 0x80]] },
  { name: "a fault after a valid message", fields: [bytesField(1, bytesField(2)), [0x07]] },
])("a request is malformed: $name", ({ fields }) => {
  expect(count(...fields)).toBe(NO_COUNT);
});
