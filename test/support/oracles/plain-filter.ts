import { fromInt64, fromUint64 } from "../../../src/adapters/otlp/span-codec.ts";
import type { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import type { SpanCondition, SpanFilter } from "../../../src/domain/query/span-filter.ts";
import type { DecodedSpan } from "../requests/decoded-request.ts";

type KeyValue = opentelemetry.proto.common.v1.KeyValue;

/** Reports whether a span decoded by protobufjs matches a filter, without regard for speed. */
export function matchesPlainly(decoded: DecodedSpan, filter: SpanFilter): boolean {
  return filter.every((condition) => holds(decoded, condition));
}

function holds(decoded: DecodedSpan, condition: SpanCondition): boolean {
  const { span } = decoded;
  const startUnixNano = fromUint64(span.startTimeUnixNano);
  const endUnixNano = fromUint64(span.endTimeUnixNano);
  const isTimed = startUnixNano !== 0n && endUnixNano !== 0n;
  switch (condition.on) {
    case "service":
      return serviceOf(decoded) === condition.value;
    case "name":
      return span.name === condition.value;
    case "trace_id":
      return span.traceId.toHex() === condition.value;
    case "span_id":
      return span.spanId.toHex() === condition.value;
    case "kind":
      return span.kind === condition.value;
    case "status":
      return (span.status?.code ?? 0) === condition.value;
    case "min_duration":
      return isTimed && endUnixNano - startUnixNano >= condition.durationNano;
    case "since":
      return startUnixNano !== 0n && startUnixNano >= condition.unixNano;
    case "until":
      return startUnixNano !== 0n && startUnixNano < condition.unixNano;
    case "attribute": {
      const ofKey = ({ key }: KeyValue) => key === condition.key;
      const own = span.attributes.filter(ofKey);
      const candidates = own.length > 0 ? own : resourceAttributes(decoded).filter(ofKey);
      return candidates.some((attribute) => hasValue(attribute, condition.value));
    }
  }
}

export function serviceOf(decoded: DecodedSpan): string {
  const names = resourceAttributes(decoded)
    .filter(({ key }) => key === "service.name")
    .map(({ value }) => value?.stringValue ?? null);
  return names.find((name) => name !== null) ?? "unknown_service";
}

function resourceAttributes({ resource }: DecodedSpan): KeyValue[] {
  const decoded = resource as opentelemetry.proto.resource.v1.Resource | null;
  return decoded?.attributes ?? [];
}

function hasValue({ value }: KeyValue, text: string): boolean {
  if (value === null) return false;
  const { stringValue, boolValue, intValue, doubleValue } = value;
  if (stringValue !== null) return stringValue === text;
  if (boolValue !== null) return String(boolValue) === text;
  if (intValue !== null) return /^-?\d{1,19}$/.test(text) && BigInt(text) === fromInt64(intValue);
  if (doubleValue === null || Number.isNaN(doubleValue)) return text === String(doubleValue);
  return !/^\s*$|[xob_]/i.test(text) && Number(text) === doubleValue;
}
