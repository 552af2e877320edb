import { expect, test } from "bun:test";
import { attributeText, serviceOf, typeText, valueText } from "../../../src/page/model/otlp.ts";

test.each([
  [undefined, ""],
  [{}, ""],
  [{ stringValue: "a" }, "a"],
  [{ boolValue: false }, "false"],
  [{ intValue: "9007199254740993" }, "9007199254740993"],
  [{ doubleValue: "NaN" }, "NaN"],
  [{ bytesValue: "AAE=" }, "AAE="],
  [{ arrayValue: { values: [{ intValue: "1" }, { stringValue: "b" }] } }, "[1, b]"],
  [{ arrayValue: {} }, "[]"],
  [{ kvlistValue: { values: [{ key: "a", value: { boolValue: true } }] } }, "{a: true}"],
  [{ kvlistValue: {} }, "{}"],
])("%j is written %j", (value, text) => {
  expect(valueText(value)).toBe(text);
});

test.each([
  [undefined, ""],
  [{ stringValue: "a" }, ""],
  [{ boolValue: false }, "bool"],
  [{ intValue: "1" }, "int"],
  [{ doubleValue: 1 }, "double"],
  [{ bytesValue: "AAE=" }, "bytes, in base64"],
  [{ arrayValue: {} }, "array"],
  [{ kvlistValue: {} }, "map"],
])("the type of %j is %p", (value, type) => {
  expect(typeText(value)).toBe(type);
});

test("an attribute is found by its key", () => {
  const attributes = [{ key: "a", value: { stringValue: "b" } }];

  expect(attributeText(attributes, "a")).toBe("b");
  expect(attributeText(undefined, "a")).toBe("");
});

test("a resource without a name of a service is unknown", () => {
  const attributes = [{ key: "service.name", value: { stringValue: "shop" } }];

  expect(serviceOf({ attributes })).toBe("shop");
  expect(serviceOf(undefined)).toBe("unknown_service");
});
