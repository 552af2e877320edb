import { expect, test } from "bun:test";
import { serviceName, serviceNameRange } from "../../../src/domain/wire/resource.ts";
import { attribute, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

/** Returns a ResourceSpans message within other bytes. */
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
  { name: "the name in a resource", fields: [resource(named("shop"))], service: "shop" },
  {
    name: "the name among other attributes",
    fields: [resource(attribute("host.name", "a"), named("shop"), attribute("service", "b"))],
    service: "shop",
  },
  { name: "the name after the spans", fields: [scope, resource(named("shop"))], service: "shop" },
  { name: "the first of two names", fields: [resource(named("a"), named("b"))], service: "a" },
  {
    name: "the first name in two parts of a resource",
    fields: [resource(named("a")), scope, resource(named("b"))],
    service: "a",
  },
  {
    name: "the name in the second part of a resource",
    fields: [resource(attribute("host.name", "a")), resource(), resource(named("b"))],
    service: "b",
  },
  { name: "a text after a number", fields: [resource(numbered, named("b"))], service: "b" },
  { name: "an empty name", fields: [resource(named(""))], service: "" },
  {
    name: "the name among fields that are not attributes",
    fields: [
      bytesField(1, varintField(2, 3), bytesField(3, named("x")), bytesField(1, named("b"))),
    ],
    service: "b",
  },
  { name: "unknown without a resource", fields: [scope], service: "unknown_service" },
  { name: "unknown in an empty message", fields: [], service: "unknown_service" },
  {
    name: "unknown if it is a number",
    fields: [resource(numbered), scope],
    service: "unknown_service",
  },
  {
    name: "unknown if there is only a longer key",
    fields: [resource(attribute("service.name2", "a"), attribute("service.nam", "a"))],
    service: "unknown_service",
  },
])("the service is $name", ({ fields, service }) => {
  const { bytes, offset, length } = placed(...fields);

  expect(serviceName(bytes, offset, length)).toBe(service);
});

test("the range is that of the name, or undefined without a name", () => {
  const { bytes, offset, length } = placed(scope, resource(named("shop")));
  const without = placed(scope);

  const range = serviceNameRange(bytes, offset, length)!;

  expect(bytes.subarray(range.start, range.end).toHex()).toBe(Buffer.from("shop").toString("hex"));
  expect(serviceNameRange(without.bytes, without.offset, without.length)).toBeUndefined();
});
