import type {
  Attribute,
  AttributeValue,
  InstrumentationScope,
  Resource,
  SpanEvent,
  SpanLink,
  TraceSpan,
} from "../../domain/trace-span.ts";
import type { Input, opentelemetry } from "./generated/otlp.js";
import { toInt64 } from "./int64.ts";

type Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
type Span = opentelemetry.proto.trace.v1.Span;
type KeyValue = opentelemetry.proto.common.v1.KeyValue;
type AnyValue = opentelemetry.proto.common.v1.AnyValue;

/**
 * How deep in a request a message may lie for protobufjs to write it; the request itself is at 0.
 * The wire walk accepts less. So what is cut off here is refused there, and never lost unseen.
 */
const DEEPEST_MESSAGE = 100;

const SPAN_ATTRIBUTE_DEPTH = 4;
const CHILD_ATTRIBUTE_DEPTH = 5;
const RESOURCE_ATTRIBUTE_DEPTH = 3;

/** The message of one request that holds this one span. */
export function requestFromSpan(span: TraceSpan): Input<Request> {
  const { resource, scope } = span;
  const scopeSpans = {
    scope: scopeMessage(scope),
    spans: [spanMessage(span)],
    schemaUrl: scope.schemaUrl,
  };
  return {
    resourceSpans: [
      {
        resource: resourceMessage(resource),
        scopeSpans: [scopeSpans],
        schemaUrl: resource.schemaUrl,
      },
    ],
  };
}

function resourceMessage(resource: Resource) {
  const { droppedAttributesCount, entityRefs } = resource;
  const attributes = keyValues(resource.attributes, RESOURCE_ATTRIBUTE_DEPTH);
  return { attributes, droppedAttributesCount, entityRefs };
}

function scopeMessage({ name, version, attributes, droppedAttributesCount }: InstrumentationScope) {
  return {
    name,
    version,
    attributes: keyValues(attributes, SPAN_ATTRIBUTE_DEPTH),
    droppedAttributesCount,
  };
}

function spanMessage(span: TraceSpan): Input<Span> {
  return {
    ...span,
    traceId: idBytes(span.traceId),
    spanId: idBytes(span.spanId),
    parentSpanId: idBytes(span.parentSpanId ?? ""),
    startTimeUnixNano: toInt64(span.startTimeUnixNano),
    endTimeUnixNano: toInt64(span.endTimeUnixNano),
    attributes: keyValues(span.attributes, SPAN_ATTRIBUTE_DEPTH),
    events: span.events.map(eventMessage),
    links: span.links.map(linkMessage),
  };
}

function eventMessage(event: SpanEvent): Input<opentelemetry.proto.trace.v1.Span.Event> {
  const attributes = keyValues(event.attributes, CHILD_ATTRIBUTE_DEPTH);
  return { ...event, timeUnixNano: toInt64(event.timeUnixNano), attributes };
}

function linkMessage(link: SpanLink): Input<opentelemetry.proto.trace.v1.Span.Link> {
  const attributes = keyValues(link.attributes, CHILD_ATTRIBUTE_DEPTH);
  return { ...link, traceId: idBytes(link.traceId), spanId: idBytes(link.spanId), attributes };
}

/** What is not hex becomes one byte: valid as no identifier, so that the walk refuses the span. */
function idBytes(id: string): Uint8Array {
  return /^([0-9a-f]{2})*$/i.test(id) ? Buffer.from(id, "hex") : new Uint8Array(1);
}

/** `depth` is where each KeyValue lies in the request; see DEEPEST_MESSAGE. */
function keyValues(attributes: readonly Attribute[], depth: number): Input<KeyValue>[] {
  if (depth > DEEPEST_MESSAGE) return [];
  const mayHoldValue = depth < DEEPEST_MESSAGE;
  return attributes.map(({ key, value }) => ({
    key,
    value: mayHoldValue ? anyValue(value, depth + 1) : null,
  }));
}

function anyValue(attribute: AttributeValue, depth: number): Input<AnyValue> {
  if (attribute === null || depth === DEEPEST_MESSAGE) return {};
  switch (attribute.type) {
    case "string":
      return { stringValue: attribute.value };
    case "bool":
      return { boolValue: attribute.value };
    case "int":
      return { intValue: toInt64(attribute.value) };
    case "double":
      return { doubleValue: attribute.value };
    case "bytes":
      return { bytesValue: attribute.value };
    case "array":
      return { arrayValue: { values: anyValues(attribute.value, depth + 2) } };
    case "kvlist":
      return { kvlistValue: { values: keyValues(attribute.value, depth + 2) } };
  }
}

function anyValues(values: readonly AttributeValue[], depth: number): Input<AnyValue>[] {
  return depth > DEEPEST_MESSAGE ? [] : values.map((value) => anyValue(value, depth));
}
