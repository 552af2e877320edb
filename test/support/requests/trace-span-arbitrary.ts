import * as fc from "fast-check";
import type {
  Attribute,
  AttributeValue,
  EntityRef,
  InstrumentationScope,
  Resource,
  SpanEvent,
  SpanLink,
  TraceSpan,
} from "../../../src/domain/trace-span.ts";

/** Valid spans in which each field of OTLP is sometimes set. */

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const uint32 = fc.nat({ max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** Generates lowercase identifiers that are not all zero. */
function identifier(lengthBytes: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength: lengthBytes, maxLength: lengthBytes })
    .filter((bytes) => bytes.some((byte) => byte !== 0))
    .map((bytes) => bytes.toHex());
}

const { attributes } = fc.letrec<{ attributes: Attribute[]; value: AttributeValue }>((tie) => ({
  attributes: fc.array(fc.record({ key: text, value: tie("value") }), { maxLength: 4 }),
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.record({ type: fc.constant("string" as const), value: text }),
    fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
    fc.record({ type: fc.constant("int" as const), value: int64 }),
    fc.record({ type: fc.constant("double" as const), value: fc.double() }),
    fc.record({ type: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 6 }) }),
    fc.record({
      type: fc.constant("array" as const),
      value: fc.array(tie("value"), { maxLength: 3 }),
    }),
    fc.record({ type: fc.constant("kvlist" as const), value: tie("attributes") }),
  ),
}));

const event: fc.Arbitrary<SpanEvent> = fc.record({
  timeUnixNano: uint64,
  name: text,
  attributes,
  droppedAttributesCount: uint32,
});

/** Generates the identifier of a link, which may be empty or all zeros. */
function optionalIdentifier(lengthBytes: number): fc.Arbitrary<string> {
  const zeros = fc.constant("00".repeat(lengthBytes));
  return fc.oneof({ arbitrary: identifier(lengthBytes), weight: 6 }, fc.constant(""), zeros);
}

const link: fc.Arbitrary<SpanLink> = fc.record({
  traceId: optionalIdentifier(16),
  spanId: optionalIdentifier(8),
  traceState: text,
  flags: uint32,
  attributes,
  droppedAttributesCount: uint32,
});

const entityRef: fc.Arbitrary<EntityRef> = fc.record({
  schemaUrl: text,
  type: text,
  idKeys: fc.array(text, { maxLength: 2 }),
  descriptionKeys: fc.array(text, { maxLength: 2 }),
});

const resource: fc.Arbitrary<Resource> = fc.record({
  attributes,
  droppedAttributesCount: uint32,
  entityRefs: fc.array(entityRef, { maxLength: 2 }),
  schemaUrl: text,
});

const scope: fc.Arbitrary<InstrumentationScope> = fc.record({
  name: text,
  version: text,
  attributes,
  droppedAttributesCount: uint32,
  schemaUrl: text,
});

export const traceSpanArbitrary: fc.Arbitrary<TraceSpan> = fc.record(
  {
    traceId: identifier(16),
    spanId: identifier(8),
    parentSpanId: identifier(8),
    traceState: text,
    flags: uint32,
    name: text,
    kind: fc.nat({ max: 7 }),
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes,
    droppedAttributesCount: uint32,
    events: fc.array(event, { maxLength: 2 }),
    droppedEventsCount: uint32,
    links: fc.array(link, { maxLength: 2 }),
    droppedLinksCount: uint32,
    status: fc.record({ code: fc.nat({ max: 2 }), message: text }),
    resource,
    scope,
  },
  {
    requiredKeys: [
      "traceId",
      "spanId",
      "traceState",
      "flags",
      "name",
      "kind",
      "startTimeUnixNano",
      "endTimeUnixNano",
      "attributes",
      "droppedAttributesCount",
      "events",
      "droppedEventsCount",
      "links",
      "droppedLinksCount",
      "status",
      "resource",
      "scope",
    ],
  },
);
