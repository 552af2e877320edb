import { expect, spyOn, test } from "bun:test";
import { countItemsInSteps } from "../../../../src/adapters/otlp/json/json-count.ts";
import { runSteps } from "../../../../src/adapters/otlp/json/json-reader.ts";

const PATH = [
  { names: ["lists"], isRepeated: true },
  { names: ["one", "other"], isRepeated: false },
  { names: ["items"], isRepeated: true },
];

function count(body: string | Uint8Array): number | string {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return runSteps(countItemsInSteps(bytes, PATH, { nestingDepth: 5 }));
}

test.each([
  { body: "{}", items: 0 },
  { body: '\ufeff {"lists" : [ ] }\n', items: 0 },
  { body: '{"lists":null}', items: 0 },
  { body: '{"lists":[{"one":null},{},{"one":{"items":null}}]}', items: 0 },
  { body: '{"lists":[{"one":{"items":[{}]}}]}', items: 1 },
  { body: '{"lists":[{"one":{"items":[{},{"a":[1]}]}},{"other":{"items":[{}]}}]}', items: 3 },
  { body: '{"\\u006cists":[{"one":{"items":[{}]}}]}', items: 1 },
  { body: '{"lists":[{"one":{"items":[{}],"items":[{}]}}],"lists":[]}', items: 2 },
  { body: '{"items":[{}],"List":[{}],"listss":[{"one":{"items":[{}]}}]}', items: 0 },
  { body: '{"lists":[{"items":[{}],"one":{"lists":[{}],"x":{"items":[{}]}}}]}', items: 0 },
])("$items items are counted in $body", ({ body, items }) => {
  expect(count(body)).toBe(items);
});

test.each([
  { body: "", fault: "at byte 0: the body must be one JSON object, but the body ends" },
  { body: "[]", fault: "at byte 0: the body must be one JSON object" },
  { body: "{} {}", fault: "at byte 3: unexpected data after the object" },
  { body: '{"lists":{}}', fault: 'at byte 9: "lists" must be a list' },
  { body: '{"lists":[[]]}', fault: 'at byte 10: expected an object in "lists"' },
  { body: '{"lists":[null]}', fault: 'at byte 10: expected an object in "lists"' },
  { body: '{"lists":[{}', fault: 'at byte 12: expected "," or "]", but the body ends' },
  { body: '{"lists":[{"one":[]}]}', fault: 'at byte 17: expected an object in "one"' },
  {
    body: '{"lists":[{"one":{"items":[1]}}]}',
    fault: 'at byte 27: expected an object in "items"',
  },
  {
    body: '{"lists":[{"one":{"items":[{]}}]}',
    fault: "at byte 28: expected a key in double quotes",
  },
  { body: '{"x":01}', fault: 'at byte 6: expected "," or "}"' },
  { body: '{"x":[[[[[[]]]]]]}', fault: "at byte 10: an unknown field is nested too deeply" },
  { body: '{"lists" []}', fault: 'at byte 9: expected ":"' },
  { body: Uint8Array.of(0x7b, 0xff, 0x7d), fault: "the body is not valid UTF-8" },
])("a fault is reported: $fault", ({ body, fault }) => {
  expect(count(body)).toStartWith(fault);
});

test("the memory for counting is freed if the caller takes no further step", () => {
  const items = Array<string>(50_000).fill('{"a":1}').join(",");
  const body = Buffer.from(`{"lists":[{"one":{"items":[${items}]}}]}`);
  using allocate = spyOn(Buffer, "allocUnsafeSlow");
  const steps = countItemsInSteps(body, PATH, { nestingDepth: 5 });

  const first = steps.next();
  const memory = allocate.mock.results.map(({ value }) => value as Buffer);
  const before = memory.map(({ length }) => length > body.length);
  steps.return(0);

  expect([first.done, before]).toEqual([false, [true]]);
  expect(memory.map(({ length }) => length)).toEqual([0]);
});
