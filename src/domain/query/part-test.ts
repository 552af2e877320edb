import { type FieldScan, nextField, point, scanFrom } from "../wire/field-scan.ts";
import {
  EVENT_ATTRIBUTES_FIELD,
  EVENT_NAME_FIELD,
  EVENTS_FIELD,
  LINK_ATTRIBUTES_FIELD,
  LINK_SPAN_ID_FIELD,
  LINK_TRACE_ID_FIELD,
  LINKS_FIELD,
} from "../wire/otlp-tags.ts";
import { isSame } from "../wire/scalars.ts";
import { hasPattern, textPattern } from "./sought-text.ts";
import {
  OTHER_VALUE,
  verdictOfAttribute,
  WANTED_VALUE,
  type WantedAttribute,
} from "./wanted-attribute.ts";

/**
 * Reports whether the span at these bytes has a part, which is an event or a link, with the
 * required properties.
 */
export type PartOfSpanTest = (bytes: Uint8Array, offset: number, length: number) => boolean;

/** The name of an event, or a pattern in which `*` stands for any text. */
interface EventName {
  readonly text: string;
  readonly isPattern: boolean;
}

/** Says how to test the events or the links of a span. */
interface PartTest {
  readonly field: number;
  readonly attributesField: number;
  readonly attributes: readonly WantedAttribute[];
  /** Tests the field that identifies the part; undefined if any will do. */
  readonly head: { readonly field: number; readonly holds: FieldTest } | undefined;
}

type FieldTest = (field: FieldScan) => boolean;

/** Tests for an event; any event if there is no name and no attribute. */
export function eventTest(
  name: EventName | undefined,
  attributes: readonly WantedAttribute[],
): PartOfSpanTest {
  return partTest({
    field: EVENTS_FIELD,
    attributesField: EVENT_ATTRIBUTES_FIELD,
    attributes,
    head: name && { field: EVENT_NAME_FIELD, holds: nameTest(name) },
  });
}

function nameTest({ text, isPattern }: EventName): FieldTest {
  const pattern = textPattern(text);
  const wanted = new TextEncoder().encode(text);
  return isPattern
    ? ({ bytes, valueAt, at }) => hasPattern(pattern, bytes, valueAt, at)
    : ({ bytes, valueAt, at }) => isSame(bytes, valueAt, at, wanted);
}

const TRACE_ID_DIGITS = 32;

/**
 * Tests for a link to a trace (32 hex digits in lowercase) or to a span (16); to anything without
 * an identifier.
 */
export function linkTest(
  id: string | undefined,
  attributes: readonly WantedAttribute[],
): PartOfSpanTest {
  return partTest({
    field: LINKS_FIELD,
    attributesField: LINK_ATTRIBUTES_FIELD,
    attributes,
    head: id === undefined ? undefined : linkHead(id),
  });
}

function linkHead(id: string): PartTest["head"] {
  const wanted = Uint8Array.fromHex(id);
  return {
    field: id.length === TRACE_ID_DIGITS ? LINK_TRACE_ID_FIELD : LINK_SPAN_ID_FIELD,
    holds: ({ bytes, valueAt, at }) => isSame(bytes, valueAt, at, wanted),
  };
}

function partTest(part: PartTest): PartOfSpanTest {
  const span = scanFrom(new Uint8Array(0), 0, 0);
  const inner = scanFrom(new Uint8Array(0), 0, 0);
  return (bytes, offset, length) => {
    point(span, bytes, offset, offset + length);
    while (nextField(span)) {
      if (span.fieldNumber === part.field && holdsFor(part, span, inner)) return true;
    }
    return false;
  };
}

/** Tests the event or the link in this field of a span. The last of several names counts. */
function holdsFor(
  { attributesField, attributes, head }: PartTest,
  field: FieldScan,
  scan: FieldScan,
): boolean {
  let isHead = head === undefined;
  if (head !== undefined) {
    point(scan, field.bytes, field.valueAt, field.at);
    while (nextField(scan)) {
      if (scan.fieldNumber === head.field) isHead = head.holds(scan);
    }
  }
  return isHead && attributes.every((wanted) => hasAttribute(wanted, scan, field, attributesField));
}

function hasAttribute(
  wanted: WantedAttribute,
  scan: FieldScan,
  { bytes, valueAt, at }: FieldScan,
  attributesField: number,
): boolean {
  point(scan, bytes, valueAt, at);
  let verdict = OTHER_VALUE;
  while (verdict !== WANTED_VALUE && nextField(scan)) {
    if (scan.fieldNumber !== attributesField) continue;
    verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, scan.valueAt, scan.at));
  }
  return verdict === WANTED_VALUE;
}
