import { isValidId } from "../../domain/span-validity.ts";
import type {
  Attribute,
  AttributeValue,
  EntityRef,
  InstrumentationScope,
  Resource,
  SpanEvent,
  SpanLink,
  TraceSpan,
} from "../../domain/trace-span.ts";
import type { opentelemetry } from "./generated/otlp.js";
import { fromInt64, fromUint64 } from "./int64.ts";

type Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
type ResourceSpans = opentelemetry.proto.trace.v1.ResourceSpans;
type ScopeSpans = opentelemetry.proto.trace.v1.ScopeSpans;
type Span = opentelemetry.proto.trace.v1.Span;
type KeyValue = opentelemetry.proto.common.v1.KeyValue;
type AnyValue = opentelemetry.proto.common.v1.AnyValue;

/** What a span comes in; spans of one scope share one object. */
interface SpanContext {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

/** Every span of a decoded request, in wire order. Nothing in them points into the request. */
export function spansFromRequest(request: Request): TraceSpan[] {
  return request.resourceSpans.flatMap(spansOfResource);
}

function spansOfResource(resourceSpans: ResourceSpans): TraceSpan[] {
  const resource = resourceFrom(resourceSpans);
  return resourceSpans.scopeSpans.flatMap((scopeSpans) => {
    const context = { resource, scope: scopeFrom(scopeSpans) };
    return scopeSpans.spans.map((span) => spanFrom(span, context));
  });
}

function resourceFrom({ resource, schemaUrl }: ResourceSpans): Resource {
  return {
    attributes: attributesFrom(resource?.attributes ?? []),
    droppedAttributesCount: resource?.droppedAttributesCount ?? 0,
    entityRefs: (resource?.entityRefs ?? []).map(entityRefFrom),
    schemaUrl,
  };
}

function entityRefFrom(message: opentelemetry.proto.common.v1.EntityRef): EntityRef {
  const { schemaUrl, type, idKeys, descriptionKeys } = message;
  return { schemaUrl, type, idKeys, descriptionKeys };
}

function scopeFrom({ scope, schemaUrl }: ScopeSpans): InstrumentationScope {
  return {
    name: scope?.name ?? "",
    version: scope?.version ?? "",
    attributes: attributesFrom(scope?.attributes ?? []),
    droppedAttributesCount: scope?.droppedAttributesCount ?? 0,
    schemaUrl,
  };
}

function spanFrom(message: Span, context: SpanContext): TraceSpan {
  return {
    traceId: hex(message.traceId),
    spanId: hex(message.spanId),
    ...parentFrom(message),
    traceState: message.traceState,
    flags: message.flags,
    name: message.name,
    kind: message.kind,
    startTimeUnixNano: fromUint64(message.startTimeUnixNano),
    endTimeUnixNano: fromUint64(message.endTimeUnixNano),
    attributes: attributesFrom(message.attributes),
    droppedAttributesCount: message.droppedAttributesCount,
    events: message.events.map(eventFrom),
    droppedEventsCount: message.droppedEventsCount,
    links: message.links.map(linkFrom),
    droppedLinksCount: message.droppedLinksCount,
    status: { code: message.status?.code ?? 0, message: message.status?.message ?? "" },
    ...context,
  };
}

/** A parent id of zeros, as some senders write it on a root span, is none. */
function parentFrom({ parentSpanId: id }: Span): Pick<TraceSpan, "parentSpanId"> {
  return isValidId(id, 0, id.length) ? { parentSpanId: hex(id) } : {};
}

function eventFrom(message: opentelemetry.proto.trace.v1.Span.Event): SpanEvent {
  return {
    timeUnixNano: fromUint64(message.timeUnixNano),
    name: message.name,
    attributes: attributesFrom(message.attributes),
    droppedAttributesCount: message.droppedAttributesCount,
  };
}

function linkFrom(message: opentelemetry.proto.trace.v1.Span.Link): SpanLink {
  return {
    traceId: hex(message.traceId),
    spanId: hex(message.spanId),
    traceState: message.traceState,
    flags: message.flags,
    attributes: attributesFrom(message.attributes),
    droppedAttributesCount: message.droppedAttributesCount,
  };
}

function attributesFrom(messages: readonly KeyValue[]): Attribute[] {
  return messages.map(({ key, value }) => ({ key, value: valueFrom(value) }));
}

/** Recursion is bounded: protobufjs decodes 100 levels, and the wire walk accepts no more. */
function valueFrom(message: AnyValue | null): AttributeValue {
  if (message === null) return null;
  const { stringValue, boolValue, intValue, doubleValue } = message;
  const { arrayValue, kvlistValue, bytesValue } = message;
  if (stringValue !== null) return { type: "string", value: stringValue };
  if (boolValue !== null) return { type: "bool", value: boolValue };
  if (intValue !== null) return { type: "int", value: fromInt64(intValue) };
  if (doubleValue !== null) return { type: "double", value: doubleValue };
  // Decoded bytes are a view of the request; a span outlives it.
  if (bytesValue !== null) return { type: "bytes", value: new Uint8Array(bytesValue) };
  if (arrayValue !== null) return { type: "array", value: arrayValue.values.map(valueFrom) };
  return kvlistValue && { type: "kvlist", value: attributesFrom(kvlistValue.values) };
}

function hex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("hex");
}
