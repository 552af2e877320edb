import { expect, test } from "bun:test";
import { serviceName, serviceNameRange } from "../../../src/domain/wire/resource.ts";
import { attribute, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

/** A ResourceSpans message that lies within other bytes. */
function placed(...fields: number[][]): { bytes: Uint8Array; offset: number; length: number } {
  const body = fields.flat();
  return { bytes: Uint8Array.from([0x0a, ...body, 0x0a]), offset: 1, length: body.length };
}

const resource = (...attributes: number[][]) =>
  bytesField(1, ...attributes.map((body) => bytesField(1, body)));
const named = (name: string) => attribute("service.name", name);
const numbered = [...bytesField(1, "service.name"), ...bytesField(2, varintField(3, 7))];
const scope = bytesField(2, span(1, bytesField(9, named("of a span"))));

test.each([
  { name: "of a resource alone", fields: [resource(named("shop"))], service: "shop" },
  {
    name: "among other attributes",
    fields: [resource(attribute("host.name", "a"), named("shop"), attribute("service", "b"))],
    service: "shop",
  },
  { name: "behind the spans", fields: [scope, resource(named("shop"))], service: "shop" },
  { name: "the first of two", fields: [resource(named("a"), named("b"))], service: "a" },
  {
    name: "the first of two resources, which mean one",
    fields: [resource(named("a")), scope, resource(named("b"))],
    service: "a",
  },
  {
    name: "of a resource behind one without",
    fields: [resource(attribute("host.name", "a")), resource(), resource(named("b"))],
    service: "b",
  },
  { name: "a text behind a number", fields: [resource(numbered, named("b"))], service: "b" },
  { name: "empty, as it says", fields: [resource(named(""))], service: "" },
  {
    name: "among fields that are not attributes",
    fields: [
      bytesField(1, varintField(2, 3), bytesField(3, named("x")), bytesField(1, named("b"))),
    ],
    service: "b",
  },
  { name: "unknown without a resource", fields: [scope], service: "unknown_service" },
  { name: "unknown in an empty message", fields: [], service: "unknown_service" },
  {
    name: "unknown where only a number is given",
    fields: [resource(numbered), scope],
    service: "unknown_service",
  },
  {
    name: "unknown where only a longer key is given",
    fields: [resource(attribute("service.name2", "a"), attribute("service.nam", "a"))],
    service: "unknown_service",
  },
])("the service is $name", ({ fields, service }) => {
  const { bytes, offset, length } = placed(...fields);

  expect(serviceName(bytes, offset, length)).toBe(service);
});

test("the range is that of the name's bytes, or undefined without a name", () => {
  const { bytes, offset, length } = placed(scope, resource(named("shop")));
  const without = placed(scope);

  const range = serviceNameRange(bytes, offset, length)!;

  expect(bytes.subarray(range.start, range.end).toHex()).toBe(Buffer.from("shop").toString("hex"));
  expect(serviceNameRange(without.bytes, without.offset, without.length)).toBeUndefined();
});
