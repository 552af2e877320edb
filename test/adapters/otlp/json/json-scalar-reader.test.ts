import { expect, test } from "bun:test";
import { MEMBERS_AT, rereadSpan, rereadValue } from "../../../support/requests/json-span.ts";

test.each([
  { members: '"kind":2', read: '"kind":2' },
  { members: '"kind":-2147483648', read: '"kind":-2147483648' },
  { members: '"kind":"2147483647"', read: '"kind":2147483647' },
  { members: '"kind":2.0', read: '"kind":2' },
  { members: '"kind":-1', read: '"kind":-1' },
  { members: '"kind":-0', read: "" },
  { members: '"droppedLinksCount":4294967295', read: '"droppedLinksCount":4294967295' },
  { members: '"droppedLinksCount":"1e3"', read: '"droppedLinksCount":1000' },
  { members: '"droppedLinksCount":-0.0e9', read: "" },
  { members: '"flags":4294967295', read: '"flags":4294967295' },
  { members: '"flags":0.00257E+5', read: '"flags":257' },
  { members: '"flags":2570000e-4', read: '"flags":257' },
  { members: '"flags":"\\u0032\\u0035"', read: '"flags":25' },
  { members: '"startTimeUnixNano":"0"', read: "" },
  {
    members: '"startTimeUnixNano":"18446744073709551615"',
    read: '"startTimeUnixNano":"18446744073709551615"',
  },
  {
    members: '"startTimeUnixNano":1700000000000000001',
    read: '"startTimeUnixNano":"1700000000000000001"',
  },
  {
    members: '"startTimeUnixNano":1.700000000000000001e18',
    read: '"startTimeUnixNano":"1700000000000000001"',
  },
  { members: '"endTimeUnixNano":1e19', read: '"endTimeUnixNano":"10000000000000000000"' },
  { members: '"endTimeUnixNano":0e99999999999999999999', read: "" },
])("a whole number is read without loss: $members", ({ members, read }) => {
  expect(rereadSpan(members)).toBe(read);
});

test.each([
  { value: '{"intValue":"9223372036854775807"}', read: '{"intValue":"9223372036854775807"}' },
  { value: '{"intValue":-9223372036854775808}', read: '{"intValue":"-9223372036854775808"}' },
  { value: '{"intValue":9007199254740993}', read: '{"intValue":"9007199254740993"}' },
  { value: '{"intValue":-4294967296}', read: '{"intValue":"-4294967296"}' },
  { value: '{"intValue":1e18}', read: '{"intValue":"1000000000000000000"}' },
  { value: '{"intValue":0}', read: '{"intValue":"0"}' },
  // The SDK for JavaScript writes 2 ** 63, -(2 ** 63) and 2 ** 70 in this form.
  { value: '{"intValue":9223372036854776000}', read: '{"doubleValue":9223372036854776000}' },
  { value: '{"intValue":-9223372036854776000}', read: '{"doubleValue":-9223372036854776000}' },
  { value: '{"intValue":1.1805916207174113e+21}', read: '{"doubleValue":1.1805916207174113e+21}' },
  { value: '{"intValue":1e+21}', read: '{"doubleValue":1e+21}' },
  { value: '{"intValue":-1e+21}', read: '{"doubleValue":-1e+21}' },
  { value: '{"intValue":6.02214076e+23}', read: '{"doubleValue":6.02214076e+23}' },
  {
    value: '{"intValue":1.7976931348623157e+308}',
    read: '{"doubleValue":1.7976931348623157e+308}',
  },
  { value: '{"intValue":1e19}', read: '{"doubleValue":10000000000000000000}' },
  { value: '{"intValue":"1e+21"}', read: '{"doubleValue":1e+21}' },
  { value: '{"intValue":"-6.02214076e+23"}', read: '{"doubleValue":-6.02214076e+23}' },
  { value: '{"intValue":"\\u0031e21"}', read: '{"doubleValue":1e+21}' },
  // A `BigInt` is written in this form.
  { value: '{"intValue":"9223372036854775808"}', read: '{"doubleValue":9223372036854776000}' },
  { value: '{"intValue":"-18446744073709551616"}', read: '{"doubleValue":-18446744073709552000}' },
  { value: '{"boolValue":true}', read: '{"boolValue":true}' },
  { value: '{"boolValue":false}', read: '{"boolValue":false}' },
  { value: '{"doubleValue":0}', read: '{"doubleValue":0}' },
  { value: '{"doubleValue":-0.0}', read: '{"doubleValue":-0}' },
  { value: '{"doubleValue":1e-400}', read: '{"doubleValue":0}' },
  { value: '{"doubleValue":0.1}', read: '{"doubleValue":0.1}' },
  { value: '{"doubleValue":"-1.5E3"}', read: '{"doubleValue":-1500}' },
  { value: '{"doubleValue":"NaN"}', read: '{"doubleValue":"NaN"}' },
  { value: '{"doubleValue":"Infinity"}', read: '{"doubleValue":"Infinity"}' },
  { value: '{"doubleValue":"-\\u0049nfinity"}', read: '{"doubleValue":"-Infinity"}' },
  { value: '{"bytesValue":""}', read: '{"bytesValue":""}' },
  { value: '{"bytesValue":"+/8="}', read: '{"bytesValue":"+/8="}' },
  { value: '{"bytesValue":"-_8"}', read: '{"bytesValue":"+/8="}' },
  { value: '{"bytesValue":"\\u002b\\/8="}', read: '{"bytesValue":"+/8="}' },
  { value: '{"stringValue":""}', read: '{"stringValue":""}' },
  { value: '{"arrayValue":{}}', read: '{"arrayValue":{}}' },
  { value: '{"kvlistValue":{"values":[]}}', read: '{"kvlistValue":{}}' },
])("a value of an attribute is read: $value", ({ value, read }) => {
  expect(rereadValue(value)).toBe(read);
});

const INT32 = "a whole number from -2147483648 to 2147483647";
const UINT32 = "a whole number from 0 to 4294967295";
const UINT64 = "a whole number from 0 to 18446744073709551615";

test.each([
  { key: "kind", value: "2147483648", message: INT32 },
  { key: "kind", value: "-2147483649", message: INT32 },
  { key: "kind", value: "4294967298", message: INT32 },
  { key: "kind", value: "2.5", message: INT32 },
  { key: "kind", value: "25e-1", message: INT32 },
  { key: "kind", value: "true", message: INT32 },
  { key: "droppedLinksCount", value: "-1", message: UINT32 },
  { key: "droppedLinksCount", value: "4294967296", message: UINT32 },
  { key: "flags", value: '"x"', message: UINT32 },
  { key: "flags", value: '"1 "', message: UINT32 },
  { key: "flags", value: '"01"', message: UINT32 },
  { key: "flags", value: '""', message: UINT32 },
  { key: "flags", value: "1e99999999999999999999", message: UINT32 },
  { key: "flags", value: "1e-99999999999999999999", message: UINT32 },
  { key: "startTimeUnixNano", value: "-1", message: UINT64 },
  { key: "startTimeUnixNano", value: "18446744073709551616", message: UINT64 },
  { key: "startTimeUnixNano", value: "99999999999999999999", message: UINT64 },
  { key: "startTimeUnixNano", value: "184467440737095516150", message: UINT64 },
  { key: "startTimeUnixNano", value: "1e20", message: UINT64 },
  { key: "startTimeUnixNano", value: '"NaN"', message: UINT64 },
])('"$key" of $value is refused', ({ key, value, message }) => {
  const at = MEMBERS_AT + key.length + 3;

  expect(rereadSpan(`"${key}":${value}`)).toBe(`at byte ${at}: "${key}" must be ${message}`);
});

test("the name of an enum value is refused, and the message explains it", () => {
  expect(rereadSpan('"kind":"SPAN_KIND_SERVER"')).toBe(
    `at byte ${MEMBERS_AT + 7}: "kind" must be a whole number, not a name such as ` +
      '"SPAN_KIND_SERVER"',
  );
});

test("a peer's text is escaped and cut in a message", () => {
  const message = rereadSpan(`"kind":"\\n\\u202e${"x".repeat(5_000)}"`);

  expect(message).toContain('such as "\\n\\u{202e}xxx');
  expect(message.length).toBeLessThan(400);
});

const INT64 = "a whole number from -9223372036854775808 to 9223372036854775807";

test.each([
  { key: "intValue", value: '"secret"', message: INT64 },
  { key: "intValue", value: "1e999", message: INT64 },
  { key: "intValue", value: '"1e999"', message: INT64 },
  { key: "intValue", value: '"1e+21 "', message: INT64 },
  { key: "intValue", value: '"NaN"', message: INT64 },
  { key: "intValue", value: '"Infinity"', message: INT64 },
  { key: "intValue", value: "1e-21", message: INT64 },
  { key: "intValue", value: "1000000000000000000.5", message: INT64 },
  { key: "intValue", value: "1.5", message: INT64 },
  { key: "stringValueStrindex", value: '"secret"', message: INT32 },
  { key: "boolValue", value: '"secret"', message: "true or false" },
  { key: "boolValue", value: "1", message: "true or false" },
  { key: "stringValue", value: "1", message: "a string" },
  { key: "bytesValue", value: '"s*cret"', message: "base64" },
  { key: "bytesValue", value: '"!"', message: "base64" },
  { key: "arrayValue", value: "[]", message: "an object" },
  { key: "kvlistValue", value: '"secret"', message: "an object" },
  ...["secret", "", "nan", "+1", "1.", "1 ", "1e999"].map((text) => ({
    key: "doubleValue",
    value: `"${text}"`,
    message: 'a number of 64 bits, "NaN", "Infinity" or "-Infinity"',
  })),
  {
    key: "doubleValue",
    value: "-1e999",
    message: 'a number of 64 bits, "NaN", "Infinity" or "-Infinity"',
  },
])('"$key" of $value is refused without revealing the value', ({ key, value, message }) => {
  const reading = rereadValue(`{"${key}":${value}}`);

  expect(reading).toMatch(/^at byte \d+: /);
  expect(reading).toEndWith(`: "${key}" must be ${message}`);
});

test.each([
  { name: "with optional escapes", text: 'GET "/"', json: '"GET \\"/\\""' },
  { name: "every short escape", text: '"\\/\b\f\n\r\t', json: '"\\"\\\\\\/\\b\\f\\n\\r\\t"' },
  { name: "numbers of either case", text: "é\u00ff\u0000", json: '"\\u00e9\\u00FF\\u0000"' },
  { name: "two and three bytes", text: "\u07ff\u0800\uffff", json: '"\\u07ff\\u0800\\uffff"' },
  { name: "a surrogate pair", text: "😀", json: '"\\ud83d\\uDE00"' },
  { name: "the last code point", text: "\u{10ffff}", json: '"\\udbff\\udfff"' },
  { name: "a lone high surrogate", text: "\ufffda", json: '"\\ud83da"' },
  { name: "a lone low surrogate", text: "\ufffda", json: '"\\ude00a"' },
  { name: "a reversed surrogate pair", text: "\ufffd\ufffd", json: '"\\ude00\\ud83d"' },
  { name: "a lone surrogate before a pair", text: "\ufffd😀", json: '"\\ud83d\\ud83d\\ude00"' },
  { name: "a lone surrogate before an escape", text: "\ufffd\n", json: '"\\ud83d\\n"' },
  { name: "a byte order mark", text: "\ufeffa", json: '"\ufeffa"' },
  { name: "127 bytes", text: "x".repeat(127), json: `"${"x".repeat(127)}"` },
  { name: "128 bytes", text: "x".repeat(128), json: `"${"x".repeat(128)}"` },
  { name: "a long text", text: "é\n".repeat(9_000), json: `"${"é\\n".repeat(9_000)}"` },
])("a string is read without loss: $name", ({ text, json }) => {
  expect(JSON.parse(rereadValue(`{"stringValue":${json}}`))).toEqual({ stringValue: text });
});
