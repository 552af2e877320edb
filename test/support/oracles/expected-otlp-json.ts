import type {
  Attribute,
  AttributeValue,
  InstrumentationScope,
  Resource,
  TraceSpan,
} from "../../../src/domain/trace-span.ts";

/**
 * Returns the OTLP/JSON of spans, as `JSON.parse` would return it. It is made from the meaning of
 * the spans rather than from bytes, as an independent check of `otlpJsonChunks`. Each span is in
 * its own ResourceSpans.
 */
export function expectedOtlpJson(spans: readonly TraceSpan[]): object {
  return { resourceSpans: spans.map(resourceSpansJson) };
}

function resourceSpansJson({ resource, scope, ...span }: TraceSpan): object {
  const scopeSpans = {
    scope: scopeJson(scope),
    spans: [spanJson(span)],
    ...unlessDefault({ schemaUrl: scope.schemaUrl }),
  };
  return {
    resource: resourceJson(resource),
    scopeSpans: [scopeSpans],
    ...unlessDefault({ schemaUrl: resource.schemaUrl }),
  };
}

function resourceJson({ attributes, droppedAttributesCount, entityRefs }: Resource): object {
  return unlessDefault({
    attributes: attributesJson(attributes),
    droppedAttributesCount,
    entityRefs: entityRefs.map((entityRef) => unlessDefault({ ...entityRef })),
  });
}

function scopeJson({ name, version, attributes, droppedAttributesCount }: InstrumentationScope) {
  return unlessDefault({
    name,
    version,
    attributes: attributesJson(attributes),
    droppedAttributesCount,
  });
}

function spanJson(span: Omit<TraceSpan, "resource" | "scope">): object {
  return unlessDefault({
    ...span,
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    attributes: attributesJson(span.attributes),
    events: span.events.map((event) =>
      unlessDefault({
        ...event,
        timeUnixNano: String(event.timeUnixNano),
        attributes: attributesJson(event.attributes),
      }),
    ),
    links: span.links.map((link) =>
      unlessDefault({ ...link, attributes: attributesJson(link.attributes) }),
    ),
    status: unlessDefault({ ...span.status }),
  });
}

function attributesJson(attributes: readonly Attribute[]): object[] {
  return attributes.map(({ key, value }) => ({
    ...unlessDefault({ key }),
    value: valueJson(value),
  }));
}

function valueJson(attribute: AttributeValue): object {
  switch (attribute?.type) {
    case undefined:
      return {};
    case "string":
      return { stringValue: attribute.value };
    case "bool":
      return { boolValue: attribute.value };
    case "int":
      return { intValue: String(attribute.value) };
    case "double":
      return { doubleValue: doubleJson(attribute.value) };
    case "bytes":
      return { bytesValue: attribute.value.toBase64() };
    case "array":
      return { arrayValue: unlessDefault({ values: attribute.value.map(valueJson) }) };
    case "kvlist":
      return { kvlistValue: unlessDefault({ values: attributesJson(attribute.value) }) };
  }
}

function doubleJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * Omits default values: proto3 JSON leaves out zero, the empty string and the empty list. "0" is a
 * 64-bit zero here.
 */
function unlessDefault(fields: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => {
      if (Array.isArray(value)) return value.length > 0;
      return value !== 0 && value !== "" && !(name.endsWith("UnixNano") && value === "0");
    }),
  );
}
