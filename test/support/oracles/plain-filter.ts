import { fromInt64, fromUint64 } from "../../../src/adapters/otlp/span-codec.ts";
import type { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import type { SpanCondition, SpanFilter } from "../../../src/domain/query/span-filter.ts";
import type { ComparedAttribute } from "../../../src/domain/query/wanted-attribute.ts";
import type { DecodedSpan } from "../requests/decoded-request.ts";

type KeyValue = opentelemetry.proto.common.v1.KeyValue;
type AnyValue = opentelemetry.proto.common.v1.AnyValue;

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
    case "name_contains":
      return hasText(span.name, condition.value);
    case "name_matches":
      return patternOf(condition.value).test(lowerCase(span.name));
    case "text":
      return (
        textsOf(decoded).some((text) => hasText(text, condition.value)) ||
        valuesOf(decoded).some((value) => valueHasText(value, condition.value))
      );
    case "trace_id":
      return span.traceId.toHex() === condition.value;
    case "span_id":
      return span.spanId.toHex() === condition.value;
    case "links_to":
      return span.links.some((link) =>
        [link.traceId, link.spanId].some((id) => id.toHex() === condition.value),
      );
    case "kind":
      return span.kind === condition.value;
    case "status":
      return (span.status?.code ?? 0) === condition.value;
    case "min_duration":
      return isTimed && endUnixNano - startUnixNano >= condition.durationNano;
    case "max_duration":
      return isTimed && endUnixNano - startUnixNano <= condition.durationNano;
    case "since":
      return startUnixNano !== 0n && startUnixNano >= condition.unixNano;
    case "until":
      return startUnixNano !== 0n && startUnixNano < condition.unixNano;
    case "attribute":
      return attributesOf(decoded, condition.key).some((each) => hasValue(each, condition.value));
    case "attribute_exists":
      return attributesOf(decoded, condition.value).length > 0;
    case "attribute_matches":
      return attributesOf(decoded, condition.key).some((each) => isLike(each, condition.value));
    case "attribute_number":
      return attributesOf(decoded, condition.key).some((each) => isOnSide(each, condition));
  }
}

/** Returns the attributes with a key: those of the span or, if it has none, of its resource. */
function attributesOf(decoded: DecodedSpan, wanted: string): KeyValue[] {
  const ofKey = ({ key }: KeyValue) => key === wanted;
  const own = decoded.span.attributes.filter(ofKey);
  return own.length > 0 ? own : resourceAttributes(decoded).filter(ofKey);
}

function isLike({ value }: KeyValue, pattern: string): boolean {
  const text = value?.stringValue ?? undefined;
  return text !== undefined && patternOf(pattern).test(lowerCase(text));
}

function isOnSide({ value }: KeyValue, { comparison, number }: ComparedAttribute): boolean {
  const { intValue = null, doubleValue = null } = value ?? {};
  if (intValue === null && doubleValue === null) return false;
  const found = intValue === null ? doubleValue! : Number(fromInt64(intValue));
  const sides = { ">=": found >= number, "<=": found <= number, ">": found > number };
  return { ...sides, "<": found < number }[comparison];
}

function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function hasText(text: string, part: string): boolean {
  return lowerCase(text).includes(lowerCase(part));
}

function patternOf(pattern: string): RegExp {
  const parts = lowerCase(pattern)
    .split("*")
    .map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join("[^]*")}$`);
}

function textsOf({ span }: DecodedSpan): string[] {
  return [span.name, span.status?.message ?? "", ...span.events.map(({ name }) => name)];
}

/** Returns all values of a span and of its resource, those in lists included. */
function valuesOf(decoded: DecodedSpan): AnyValue[] {
  const { attributes, events, links } = decoded.span;
  const parts = [{ attributes }, { attributes: resourceAttributes(decoded) }, ...events, ...links];
  return parts.flatMap((part) => part.attributes).flatMap(({ value }) => nestedValues(value));
}

function valueHasText(value: AnyValue, text: string): boolean {
  const { stringValue } = value;
  return stringValue === null ? hasValue({ value }, text) : hasText(stringValue, text);
}

function nestedValues(value: AnyValue | null): AnyValue[] {
  if (value === null) return [];
  const items = value.arrayValue?.values ?? [];
  const entries = value.kvlistValue?.values ?? [];
  const nested = [...items, ...entries.map((entry) => entry.value)].flatMap(nestedValues);
  return [value, ...nested];
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

function hasValue({ value }: Pick<KeyValue, "value">, text: string): boolean {
  if (value === null) return false;
  const { stringValue, boolValue, intValue, doubleValue } = value;
  if (stringValue !== null) return stringValue === text;
  if (boolValue !== null) return String(boolValue) === text;
  if (intValue !== null) return /^-?\d{1,19}$/.test(text) && BigInt(text) === fromInt64(intValue);
  if (doubleValue === null || Number.isNaN(doubleValue)) return text === String(doubleValue);
  return !/^\s*$|[xob_]/i.test(text) && Number(text) === doubleValue;
}
