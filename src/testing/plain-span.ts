import type { Attribute, AttributeValue, TraceSpan } from "../domain/trace-span.ts";
import type { PlainAttributes, PlainValue, TestSpan, TestTrace } from "./test-spanring.ts";

/** Returns a span with its attributes as plain values by key. */
export function plainSpan(span: TraceSpan): TestSpan {
  const { traceId, spanId, parentSpanId, traceState, name, kind, status } = span;
  const { startTimeUnixNano, endTimeUnixNano, resource, scope } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    traceState,
    name,
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes: plainAttributes(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      timeUnixNano: event.timeUnixNano,
      attributes: plainAttributes(event.attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      attributes: plainAttributes(link.attributes),
    })),
    status,
    resource: { attributes: plainAttributes(resource.attributes) },
    scope: { name: scope.name, version: scope.version },
  };
}

/** Groups spans by trace. Traces are in the order of their first spans. */
export function tracesOf(spans: readonly TestSpan[]): TestTrace[] {
  // Node 20 lacks `Map.groupBy`.
  const byTrace = new Map<string, TestSpan[]>();
  for (const span of spans) {
    byTrace.set(span.traceId, [...(byTrace.get(span.traceId) ?? []), span]);
  }
  return [...byTrace].map(([traceId, members]) => ({ traceId, spans: members }));
}

function plainAttributes(attributes: readonly Attribute[]): PlainAttributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(attribute: AttributeValue): PlainValue {
  if (attribute === null) return null;
  switch (attribute.type) {
    case "int":
      return plainInteger(attribute.value);
    case "array":
      return attribute.value.map(plainValue);
    case "kvlist":
      return plainAttributes(attribute.value);
    default:
      return attribute.value;
  }
}

function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
