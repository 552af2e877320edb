import { expect, test } from "bun:test";
import { matchedRows } from "../../support/requests/matched-spans.ts";
import { attribute, request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "../../support/requests/wire-bytes.ts";

const found = (text: string, ...fields: number[][]) => {
  const bytes = request(resourceSpans("shop", span(1, ...fields)));
  return matchedRows(bytes, [{ on: "text", value: text }]).length === 1;
};

const valueOf = (...member: number[][]) => bytesField(2, ...member);
const textOf = (content: string) => bytesField(1, content);
const own = (...values: number[][]) => bytesField(9, bytesField(1, "key"), ...values);
const array = (...items: number[][]) => bytesField(5, ...items.map((item) => bytesField(1, item)));
const ERROR = attribute("exception.message", "RuntimeError: no stock");
const ALMOST_PI = new BigUint64Array(Float64Array.of(3.14).buffer)[0]!;

test.each([
  { name: "the name of the span", fields: [bytesField(5, "a RuntimeError")] },
  { name: "an attribute", fields: [bytesField(9, ERROR)] },
  { name: "the name of an event", fields: [bytesField(11, bytesField(2, "runtimeerror"))] },
  { name: "an attribute of an event", fields: [bytesField(11, bytesField(3, ERROR))] },
  { name: "an attribute of a link", fields: [bytesField(13, bytesField(4, ERROR))] },
  { name: "the status message", fields: [bytesField(15, bytesField(2, "RuntimeError"))] },
  { name: "an array", fields: [own(valueOf(array(textOf("x"), textOf("RuntimeError"))))] },
  {
    name: "a list of keys and values in an array",
    fields: [own(valueOf(array(bytesField(6, bytesField(1, ERROR)))))],
  },
])("a text is found in $name", ({ fields }) => {
  expect(found("RUNTIMEerror", ...fields)).toBe(true);
  expect(found("RUNTIMEerrors", ...fields)).toBe(false);
});

test("a text is found in an attribute of the resource, for all of its spans", () => {
  const bytes = request(resourceSpans("shop", span(1), span(2)), resourceSpans("till", span(3)));

  expect(matchedRows(bytes, [{ on: "text", value: "shop" }])).toEqual([0, 1]);
  expect(matchedRows(bytes, [{ on: "text", value: "service.name" }])).toEqual([]);
});

test.each([
  { name: "the key of an attribute", fields: [bytesField(9, attribute("secret", "x"))] },
  {
    name: "the key in a list",
    fields: [own(valueOf(bytesField(6, bytesField(1, attribute("secret", "x")))))],
  },
  { name: "bytes", fields: [own(valueOf(bytesField(7, "secret")))] },
  { name: "the trace state", fields: [bytesField(3, "secret=1")] },
  { name: "an earlier name", fields: [bytesField(5, "secret"), bytesField(5, "x")] },
  { name: "an earlier value", fields: [own(valueOf(textOf("secret"), textOf("x")))] },
  {
    name: "a value before another",
    fields: [own(valueOf(textOf("secret")), valueOf(varintField(3, 1)))],
  },
  {
    name: "a list before another member",
    fields: [own(valueOf(array(textOf("secret")), textOf("x")))],
  },
  {
    name: "the name of an event before another",
    fields: [bytesField(11, bytesField(2, "secret"), bytesField(2, "x"))],
  },
  {
    name: "a status message before another",
    fields: [bytesField(15, bytesField(2, "secret")), bytesField(15, bytesField(2, "x"))],
  },
])("a text is not found in $name", ({ fields }) => {
  expect(found("secret", ...fields)).toBe(false);
});

test("parts of a repeated message merge", () => {
  const twoArrays = own(valueOf(array(textOf("RuntimeError")), array(textOf("x"))));
  const twoStatuses = [
    bytesField(15, bytesField(2, "RuntimeError")),
    bytesField(15, varintField(3, 2)),
  ];

  expect(found("RuntimeError", twoArrays)).toBe(true);
  expect(found("RuntimeError", ...twoStatuses)).toBe(true);
});

test.each([
  { sought: "500", fields: own(valueOf(varintField(3, 500))), isFound: true },
  { sought: "50", fields: own(valueOf(varintField(3, 500))), isFound: false },
  { sought: "3.14", fields: own(valueOf(fixed64Field(4, ALMOST_PI))), isFound: true },
  { sought: "true", fields: own(valueOf(varintField(2, 1))), isFound: true },
  { sought: "tru", fields: own(valueOf(varintField(2, 1))), isFound: false },
  { sought: "500", fields: own(valueOf(textOf("HTTP 500"))), isFound: true },
  { sought: "500", fields: own(valueOf(array(varintField(3, 500)))), isFound: true },
])("the text $sought and the value $fields: $isFound", ({ sought, fields, isFound }) => {
  expect(found(sought, fields)).toBe(isFound);
});
