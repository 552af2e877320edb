import {
  createResourceScan,
  nextAttribute,
  type ResourceScan,
  scanResource,
} from "../wire/resource.ts";
import { type FieldScan, nextField, point, scanFrom } from "../wire/field-scan.ts";
import {
  ARRAY_VALUE,
  ATTRIBUTES_FIELD,
  EVENT_ATTRIBUTES_FIELD,
  EVENT_NAME_FIELD,
  EVENTS_FIELD,
  KVLIST_VALUE,
  LINK_ATTRIBUTES_FIELD,
  LINKS_FIELD,
  LIST_ITEMS_FIELD,
  NAME_FIELD,
  STATUS_FIELD,
  STATUS_MESSAGE_FIELD,
  STRING_INDEX_VALUE,
  STRING_VALUE,
  VALUE_FIELD,
} from "../wire/otlp-tags.ts";
import { isFoundIn, type SoughtText, soughtText } from "./sought-text.ts";
import { otherMeanings, type ValueTest } from "./wanted-attribute.ts";

/**
 * A text to find in the names and values of a span. Strings contain it; numbers and booleans equal
 * it. Keys of attributes are not searched: nearly every span has the same ones.
 */
export interface TextSearch {
  readonly sought: SoughtText;
  /** The test for numbers and booleans; undefined if the text means none. */
  readonly meansOther: ValueTest | undefined;
  /** The rest is scratch space, so that a search allocates nothing; `scans` are by depth. */
  readonly span: FieldScan;
  readonly scans: FieldScan[];
  readonly value: { member: number; valueStart: number; valueEnd: number };
  readonly resource: ResourceScan;
}

export function textSearch(text: string): TextSearch {
  return {
    sought: soughtText(text),
    meansOther: otherMeanings(text),
    span: scanFrom(new Uint8Array(0), 0, 0),
    scans: [],
    value: { member: 0, valueStart: 0, valueEnd: 0 },
    resource: createResourceScan(),
  };
}

/**
 * Reports whether the span whose body begins at `offset` has the text: in its name, its status, its
 * attributes, or the names and attributes of its events and links.
 *
 * The bytes of the whole span are searched first. Only where they contain the text, which may be in
 * a key or in an identifier, are its fields read one by one.
 */
export function spanHasText(
  search: TextSearch,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const { span, sought, meansOther } = search;
  const end = offset + length;
  if (meansOther === undefined && !isFoundIn(sought, bytes, offset, end)) return false;
  point(span, bytes, offset, end);
  let isInName = false;
  let isInStatus = false;
  while (nextField(span)) {
    const { fieldNumber } = span;
    if (fieldNumber === NAME_FIELD) isInName = hasText(search, span);
    else if (fieldNumber === STATUS_FIELD) isInStatus = statusHasText(search, span, isInStatus);
    else if (fieldNumber === ATTRIBUTES_FIELD && attributeHasText(search, span, 1)) return true;
    else if (fieldNumber === EVENTS_FIELD && partHasText(search, span, EVENT)) return true;
    else if (fieldNumber === LINKS_FIELD && partHasText(search, span, LINK)) return true;
  }
  return isInName || isInStatus;
}

/** Reports whether an attribute of the resource of the ResourceSpans message has the text. */
export function resourceHasText(
  search: TextSearch,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const { resource } = search;
  scanResource(resource, bytes, offset, length);
  while (nextAttribute(resource)) {
    if (attributeHasText(search, resource.attributes, 1)) return true;
  }
  return false;
}

/** Each of the following functions tests the field to which a scan has just stepped. */

function hasText({ sought }: TextSearch, { bytes, valueAt, at }: FieldScan): boolean {
  return isFoundIn(sought, bytes, valueAt, at);
}

/** Returns a scan of the message in this field. Messages at the same depth share one. */
function enter({ scans }: TextSearch, field: FieldScan, depth: number): FieldScan {
  const scan = (scans[depth] ??= scanFrom(field.bytes, 0, 0));
  point(scan, field.bytes, field.valueAt, field.at);
  return scan;
}

/** The fields of a message within a span; a link has no name. */
interface SpanPart {
  readonly name: number;
  readonly attributes: number;
}

const EVENT: SpanPart = { name: EVENT_NAME_FIELD, attributes: EVENT_ATTRIBUTES_FIELD };
const LINK: SpanPart = { name: 0, attributes: LINK_ATTRIBUTES_FIELD };

function partHasText(search: TextSearch, field: FieldScan, part: SpanPart): boolean {
  const scan = enter(search, field, 1);
  let isInName = false;
  while (nextField(scan)) {
    if (scan.fieldNumber === part.name) isInName = hasText(search, scan);
    if (scan.fieldNumber === part.attributes && attributeHasText(search, scan, 2)) return true;
  }
  return isInName;
}

/** Several statuses merge into one, so one without a message keeps the result before it. */
function statusHasText(search: TextSearch, field: FieldScan, before: boolean): boolean {
  const scan = enter(search, field, 1);
  let isInMessage = before;
  while (nextField(scan)) {
    if (scan.fieldNumber === STATUS_MESSAGE_FIELD) isInMessage = hasText(search, scan);
  }
  return isInMessage;
}

/** Tests the value of a KeyValue. Several values merge into one. */
function attributeHasText(search: TextSearch, field: FieldScan, depth: number): boolean {
  const scan = enter(search, field, depth);
  let result = NO_MEMBER;
  while (nextField(scan)) {
    if (scan.fieldNumber === VALUE_FIELD) result = valueResult(search, scan, depth + 1, result);
  }
  return isFound(result);
}

/** The last member of an AnyValue, doubled, plus 1 if it has the text. */
type ValueResult = number;
const NO_MEMBER: ValueResult = 0;

function isFound(result: ValueResult): boolean {
  return (result & 1) === 1;
}

/** Tests an AnyValue, of which the last member counts; lists that follow each other merge. */
function valueResult(
  search: TextSearch,
  field: FieldScan,
  depth: number,
  before: ValueResult,
): ValueResult {
  const scan = enter(search, field, depth);
  let result = before;
  while (nextField(scan)) {
    const { fieldNumber: member } = scan;
    if (member > STRING_INDEX_VALUE) continue;
    const isMerged = isList(member) && result === member * 2 + 1;
    result = member * 2 + Number(isMerged || memberHasText(search, scan, depth + 1));
  }
  return result;
}

function isList(member: number): boolean {
  return member === ARRAY_VALUE || member === KVLIST_VALUE;
}

function memberHasText(search: TextSearch, field: FieldScan, depth: number): boolean {
  const { meansOther, value } = search;
  const { bytes, fieldNumber: member, valueAt, at } = field;
  if (member === STRING_VALUE) return hasText(search, field);
  if (isList(member)) return listHasText(search, field, depth);
  if (meansOther === undefined) return false;
  value.member = member;
  value.valueStart = valueAt;
  value.valueEnd = at;
  return meansOther(value, bytes);
}

function listHasText(search: TextSearch, field: FieldScan, depth: number): boolean {
  const isArray = field.fieldNumber === ARRAY_VALUE;
  const scan = enter(search, field, depth);
  while (nextField(scan)) {
    if (scan.fieldNumber !== LIST_ITEMS_FIELD) continue;
    const isInItem = isArray
      ? isFound(valueResult(search, scan, depth + 1, NO_MEMBER))
      : attributeHasText(search, scan, depth + 1);
    if (isInItem) return true;
  }
  return false;
}
