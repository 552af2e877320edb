import * as fc from "fast-check";
import { unknownFields } from "./hand-built-requests.ts";
import { attribute, spanBody, spanId, traceId } from "./request-bytes.ts";
import { bytesField, fixed64Field, varintField, wideBytesField } from "./wire-bytes.ts";

/**
 * A request as a tree, so that a test can compute what is left of it without some spans,
 * independently of the code that removes them. A part that is an array of numbers is another field.
 */
export interface RequestShape {
  readonly parts: readonly (number[] | ResourceShape)[];
}

interface ResourceShape {
  readonly width: HeadWidth;
  readonly parts: readonly (number[] | ScopeShape)[];
}

interface ScopeShape {
  readonly width: HeadWidth;
  readonly parts: readonly (number[] | SpanShape)[];
}

export interface SpanShape {
  readonly width: HeadWidth;
  readonly body: number[];
}

/** Widths of the tag and the length, which may be larger than necessary. */
interface HeadWidth {
  readonly tag: number;
  readonly length: number;
}

/** Returns its spans in wire order. */
export function spansOf(shape: RequestShape): SpanShape[] {
  return childrenOf(shape).flatMap(childrenOf).flatMap(childrenOf);
}

/** Returns the service of a span: the first name in its resource, or the name for none. */
export function serviceOf(shape: RequestShape, span: SpanShape): string {
  const inResource = childrenOf(shape).find((each) =>
    childrenOf(each).flatMap(childrenOf).includes(span),
  );
  const named = inResource?.parts.find((part) => isOther(part) && SERVICES.has(String(part)));
  return SERVICES.get(String(named)) ?? "unknown_service";
}

/** Encodes the whole request. */
export function encodeShape(shape: RequestShape): Uint8Array<ArrayBuffer> {
  const scopeBody = (scope: ScopeShape) =>
    encodeParts(scope, ({ width, body }) => wideBytesField(2, width, body));
  const resourceBody = (resource: ResourceShape) =>
    encodeParts(resource, (scope) => wideBytesField(2, scope.width, scopeBody(scope)));
  return Uint8Array.from(
    encodeParts(shape, (resource) => wideBytesField(1, resource.width, resourceBody(resource))),
  );
}

/**
 * Returns what a hand-over of these spans alone must be: in each message around one of them, first
 * the other fields, in order, then the remaining messages, with all tags and lengths in their
 * shortest form.
 */
export function encodeKept(
  shape: RequestShape,
  kept: ReadonlySet<SpanShape>,
): Uint8Array<ArrayBuffer> {
  const hasKept = (scope: ScopeShape) => childrenOf(scope).some((span) => kept.has(span));
  const scopeBody = (scope: ScopeShape) => [
    ...othersOf(scope),
    ...childrenOf(scope)
      .filter((span) => kept.has(span))
      .flatMap(({ body }) => bytesField(2, body)),
  ];
  const resourceBody = (resource: ResourceShape) => [
    ...othersOf(resource),
    ...childrenOf(resource)
      .filter(hasKept)
      .flatMap((scope) => bytesField(2, scopeBody(scope))),
  ];
  return Uint8Array.from([
    ...othersOf(shape),
    ...childrenOf(shape)
      .filter((resource) => childrenOf(resource).some(hasKept))
      .flatMap((resource) => bytesField(1, resourceBody(resource))),
  ]);
}

interface Shape<Child> {
  readonly parts: readonly (number[] | Child)[];
}

function encodeParts<Child>(shape: Shape<Child>, encode: (child: Child) => number[]): number[] {
  return shape.parts.flatMap((part) => (isOther(part) ? part : encode(part)));
}

function othersOf<Child>({ parts }: Shape<Child>): number[] {
  return parts.filter((part) => isOther(part)).flat();
}

function childrenOf<Child>({ parts }: Shape<Child>): Child[] {
  return parts.filter((part): part is Child => !isOther(part));
}

function isOther<Child>(part: number[] | Child): part is number[] {
  return Array.isArray(part);
}

const plainWidth = fc.constant<HeadWidth>({ tag: 1, length: 1 });
const anyWidth = fc.record({
  tag: fc.integer({ min: 1, max: 5 }),
  length: fc.integer({ min: 1, max: 5 }),
});
const width = fc.oneof({ arbitrary: plainWidth, weight: 8 }, { arbitrary: anyWidth, weight: 1 });

const unknownField = fc.constantFrom(...unknownFields);
const schemaUrl = fc.constant(bytesField(3, "schema"));
const NAMED_RESOURCES = ["shop", "cart", "till"].map((service) => ({
  service,
  field: bytesField(1, bytesField(1, attribute("service.name", service))),
}));
/** The services by the bytes of their resource, written as numbers. */
const SERVICES = new Map(NAMED_RESOURCES.map(({ service, field }) => [String(field), service]));
const resource = fc.constantFrom(...NAMED_RESOURCES.map(({ field }) => field));
const scope = fc.constant(bytesField(1, bytesField(1, "spanring.test"), bytesField(2, "1.2.3")));

/** Fields of spans, some of which the fast path may accept. */
const spanField = fc.constantFrom(
  varintField(6, 2),
  fixed64Field(7, 1n),
  varintField(10, 300),
  bytesField(4, [1, 2, 3, 4, 5, 6, 7, 8]),
  bytesField(9, attribute("key", "value")),
  bytesField(9, bytesField(1, "list"), bytesField(2, bytesField(5, bytesField(1)))),
  bytesField(11, fixed64Field(1, 1n), bytesField(3, attribute("key", "value"))),
  bytesField(13, bytesField(1, traceId(1)), bytesField(2, spanId(1)), bytesField(4, [0x0a, 0])),
  bytesField(15, varintField(3, 1)),
  ...unknownFields,
);

const span: fc.Arbitrary<SpanShape> = fc
  .tuple(fc.nat(), fc.nat({ max: 160 }), fc.array(spanField, { maxLength: 4 }), width)
  .map(([number, padding, fields, head]) => ({
    width: head,
    body: spanBody(number, bytesField(3, "x".repeat(padding)), ...fields),
  }));

/** Generates children among other fields, more children than fields. */
function partsOf<Child>(
  child: fc.Arbitrary<Child>,
  others: fc.Arbitrary<number[]>[],
  most: number,
) {
  return fc.array(
    fc.oneof(
      { arbitrary: child, weight: 5 },
      ...others.map((arbitrary) => ({ arbitrary, weight: 1 })),
    ),
    { maxLength: most },
  );
}

const scopeShape: fc.Arbitrary<ScopeShape> = fc.record({
  width,
  parts: partsOf(span, [unknownField, schemaUrl, scope], 8),
});

const resourceShape: fc.Arbitrary<ResourceShape> = fc.record({
  width,
  parts: partsOf(scopeShape, [unknownField, schemaUrl, resource], 4),
});

/**
 * Generates requests of at least one span, in any number of resources and scopes, with and without
 * other fields.
 */
export const requestShapeArbitrary: fc.Arbitrary<RequestShape> = fc
  .record({ parts: partsOf(resourceShape, [unknownField], 3) })
  .filter((shape) => spansOf(shape).length > 0);
