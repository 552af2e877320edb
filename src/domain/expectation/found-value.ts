import { type AttributeCondition, isAttributeCondition } from "../query/attribute-test.ts";
import { KINDS, STATUSES } from "../query/span-filter.ts";
import type { SpanLocation } from "../query/span-matcher.ts";
import {
  createEncodedAttribute,
  type EncodedAttribute,
  nextSpanAttribute,
  readAttribute,
} from "../wire/attribute.ts";
import { type FieldScan, nextField, scanFrom } from "../wire/field-scan.ts";
import {
  BOOL_VALUE,
  DOUBLE_VALUE,
  EVENT_ATTRIBUTES_FIELD,
  EVENT_NAME_FIELD,
  EVENTS_FIELD,
  INT_VALUE,
  LINK_ATTRIBUTES_FIELD,
  LINK_SPAN_ID_FIELD,
  LINK_TRACE_ID_FIELD,
  LINKS_FIELD,
  STRING_VALUE,
} from "../wire/otlp-tags.ts";
import { createResourceScan, nextAttribute, scanResource, serviceName } from "../wire/resource.ts";
import { doubleAt, int64Varint, isTrueVarint, textBetween } from "../wire/scalars.ts";
import {
  createSpanFields,
  durationNano,
  readSpanFields,
  roundedTimeAt,
  spanIdHex,
  spanName,
  traceIdHex,
} from "../wire/span-fields.ts";
import type { EventCondition, LinkCondition, WrittenCondition } from "./expectation.ts";

/** Bounds what a message shows of a peer's text. */
const MAX_TEXT_BYTES = 120;
const MAX_PARTS = 3;

/**
 * Returns what a span has in place of what a condition requires, such as `GET /cart` for a name or
 * `absent` for an attribute. It is text of a peer.
 */
export function foundValue({ test }: WrittenCondition, location: SpanLocation): string {
  if (test.on === "event" || test.on === "link") return partTexts(test, location);
  if (test.on === "links_to") return partTexts(ANY_LINK, location);
  if (isAttributeCondition(test)) return attributeText(keyOf(test), location);
  const { bytes, spanOffset, spanLength, resourceOffset, resourceLength } = location;
  const fields = createSpanFields();
  readSpanFields(fields, bytes, spanOffset, spanLength);
  switch (test.on) {
    case "service":
      return shortened(serviceName(bytes, resourceOffset, resourceLength));
    case "name":
    case "name_contains":
    case "name_matches":
      return shortened(spanName(fields));
    case "text":
      return "in none of its texts";
    case "trace_id":
      return traceIdHex(fields);
    case "span_id":
      return spanIdHex(fields);
    case "kind":
      return KINDS[fields.kind] ?? String(fields.kind);
    case "status":
      return STATUSES[fields.statusCode] ?? String(fields.statusCode);
    case "min_duration":
    case "max_duration":
      return durationText(durationNano(fields));
    case "since":
    case "until":
      return timeText(roundedTimeAt(fields, fields.startTimeAt));
  }
}

const ANY_LINK: LinkCondition = { on: "link", id: undefined, attributes: [] };

function keyOf(condition: AttributeCondition): string {
  return condition.on === "attribute_exists" ? condition.value : condition.key;
}

const ABSENT_TEXT = "absent";

/** Returns the attribute of the span or, if it has none, of its resource. */
function attributeText(key: string, location: SpanLocation): string {
  const { bytes, spanOffset, spanLength, resourceOffset, resourceLength } = location;
  const span = scanFrom(bytes, spanOffset, spanOffset + spanLength);
  const attribute = createEncodedAttribute();
  while (nextSpanAttribute(span)) {
    readAttribute(attribute, bytes, span.valueAt, span.at);
    if (keyText(attribute, bytes) === key) return valueText(attribute, bytes);
  }
  const resource = createResourceScan();
  scanResource(resource, bytes, resourceOffset, resourceLength);
  while (nextAttribute(resource)) {
    readAttribute(attribute, bytes, resource.attributes.valueAt, resource.attributes.at);
    if (keyText(attribute, bytes) === key) return valueText(attribute, bytes);
  }
  return ABSENT_TEXT;
}

function keyText({ keyStart, keyEnd }: EncodedAttribute, bytes: Uint8Array): string {
  return textBetween(bytes, keyStart, keyEnd);
}

function valueText({ member, valueStart, valueEnd }: EncodedAttribute, bytes: Uint8Array): string {
  switch (member) {
    case STRING_VALUE:
      return cutText(bytes, valueStart, valueEnd);
    case INT_VALUE:
      return String(int64Varint(bytes, valueStart, valueEnd));
    case DOUBLE_VALUE:
      return String(doubleAt(bytes, valueStart));
    case BOOL_VALUE:
      return String(isTrueVarint(bytes, valueStart, valueEnd));
    default:
      return "neither a text nor a number";
  }
}

/** Returns the first events or links, with the attributes that the condition requires of one. */
function partTexts(condition: EventCondition | LinkCondition, location: SpanLocation): string {
  const { bytes, spanOffset, spanLength } = location;
  const wanted = condition.on === "event" ? EVENTS_FIELD : LINKS_FIELD;
  const span = scanFrom(bytes, spanOffset, spanOffset + spanLength);
  const texts: string[] = [];
  let count = 0;
  while (nextField(span)) {
    if (span.fieldNumber !== wanted) continue;
    count += 1;
    if (count <= MAX_PARTS) texts.push(partText(condition, span));
  }
  const more = count > MAX_PARTS ? ["..."] : [];
  return count === 0 ? `no ${condition.on}` : [...texts, ...more].join(", ");
}

function partText(
  { on, attributes }: EventCondition | LinkCondition,
  { bytes, valueAt, at }: FieldScan,
): string {
  const isEvent = on === "event";
  const attributesField = isEvent ? EVENT_ATTRIBUTES_FIELD : LINK_ATTRIBUTES_FIELD;
  const keys = new Set(attributes.map(keyOf));
  const scan = scanFrom(bytes, valueAt, at);
  const attribute = createEncodedAttribute();
  const texts: string[] = [];
  let head = "";
  while (nextField(scan)) {
    const { fieldNumber, valueAt: start, at: end } = scan;
    if (isEvent && fieldNumber === EVENT_NAME_FIELD) head = cutText(bytes, start, end);
    if (!isEvent && isLinkId(fieldNumber)) head += `${head && "/"}${hexOf(bytes, start, end)}`;
    if (fieldNumber !== attributesField) continue;
    readAttribute(attribute, bytes, start, end);
    const key = keyText(attribute, bytes);
    if (keys.has(key)) texts.push(`${key}=${valueText(attribute, bytes)}`);
  }
  const missing = texts.length === 0 && keys.size > 0 ? [`without ${[...keys].join(", ")}`] : [];
  return [head, ...texts, ...missing].join(" ").trimStart();
}

function isLinkId(fieldNumber: number): boolean {
  return fieldNumber === LINK_TRACE_ID_FIELD || fieldNumber === LINK_SPAN_ID_FIELD;
}

function hexOf(bytes: Uint8Array, start: number, end: number): string {
  return bytes.subarray(start, end).toHex();
}

/** Decodes no more than is shown. */
function cutText(bytes: Uint8Array, start: number, end: number): string {
  const last = Math.min(end, start + MAX_TEXT_BYTES);
  return last === end ? textBetween(bytes, start, end) : `${textBetween(bytes, start, last)}…`;
}

function shortened(text: string): string {
  return text.length > MAX_TEXT_BYTES ? `${text.slice(0, MAX_TEXT_BYTES)}…` : text;
}

const UNITS = [
  { name: "s", nano: 1e9 },
  { name: "ms", nano: 1e6 },
  { name: "us", nano: 1e3 },
] as const;

/** Returns a duration in the form in which conditions are written. */
export function durationText(nano: number | undefined): string {
  if (nano === undefined) return "unknown";
  const unit = UNITS.find((each) => Math.abs(nano) >= each.nano);
  return unit === undefined
    ? `${nano}ns`
    : `${Number((nano / unit.nano).toPrecision(6))}${unit.name}`;
}

/** Returns a time; every number of nanoseconds that OTLP can express is one. */
function timeText(nano: number): string {
  return nano === 0 ? "unknown" : new Date(nano / 1e6).toISOString();
}
