import {
  BAD_PARENT_SPAN_ID,
  BAD_SPAN_ID,
  BAD_TRACE_ID,
  isValidId,
  SPAN_ID_BYTES,
  TRACE_ID_BYTES,
} from "../span-validity.ts";
import {
  ACTIONS,
  ACTIONS_PER_KIND,
  BAD_TAG,
  BYTES,
  DESCEND,
  EVENT,
  fieldAction,
  FIXED32,
  FIXED64,
  LINK,
  CHECK_LINK_SPAN_ID,
  CHECK_LINK_TRACE_ID,
  PROFILES_ONLY,
  REQUEST,
  SCOPE_SPANS,
  SPAN,
  CHECK_SPAN_ID,
  CHECK_TRACE_ID,
  WRONG_WIRE_TYPE,
} from "./otlp-schema.ts";
import { EVENT_ATTRIBUTES_TAG, LINK_ATTRIBUTES_TAG, SPANS_TAG } from "./otlp-tags.ts";
import {
  PLAIN_DEPTH,
  PLAIN_TRACE_ID_AT,
  skipPlainAttributes,
  skipPlainFields,
  skipPlainIds,
} from "./plain-fields.ts";
import { varintValue, varintWidth } from "./scalars.ts";
import {
  BAD_FIELD_TAG,
  BAD_VARINT,
  FIELD_OF_WRONG_TYPE,
  NO_FAULT,
  OVERRUN,
  TOO_DEEP,
  TOO_MANY_FIELDS,
  TOO_MANY_SPANS,
} from "./walk-fault.ts";
import {
  beginWalk,
  enterMessage,
  leaveMessage,
  type WalkedRequest,
  type WalkLimits,
} from "./walked-request.ts";

/** Lengths have 32 bits, as in protobufjs; a longer message could be stored but not decoded. */
const MAX_LENGTH_BYTES = 5;

/**
 * The maximum number of fields for each span that a request may carry, apart from those that the
 * fast path skips. Empty messages of two bytes each are the most work for a byte: without a limit,
 * 20 MiB of them take a third of a second.
 */
export const FIELDS_PER_SPAN = 10;
const MIN_FIELDS = 10_000;

/**
 * Finds and checks every span of an encoded `ExportTraceServiceRequest` in one pass, without
 * decoding it. Sets `walked.fault`; throws for no input.
 *
 * It is stricter than the encoding in three ways: a known field must have its own wire type, groups
 * are rejected, and a tag or a length takes at most five bytes. Source: protobuf encoding, and the
 * OTLP rules on identifiers.
 */
export function walkRequest(walked: WalkedRequest, request: Uint8Array): void {
  beginWalk(walked, request);
  walked.fault = walkMessages(walked, request);
}

/**
 * Walks all messages in one loop. The current message is in local variables, the outer ones on a
 * stack of fixed height, so nesting needs no recursion. The function is long because every field of
 * every span passes through it; split into parts, it would move its local variables through memory
 * each time.
 */
function walkMessages(walked: WalkedRequest, bytes: Uint8Array): number {
  const { open, limits } = walked;
  const plainDepth = limits.nestingDepth - PLAIN_DEPTH;
  let at = 0;
  let end = bytes.length;
  let kind = REQUEST;
  let depth = 0;
  for (let fieldsLeft = maxFields(limits); fieldsLeft > 0; fieldsLeft -= 1) {
    if (depth < plainDepth) {
      if (kind === SPAN) at = skipPlainFields(bytes, at, end);
      else if (kind === EVENT) at = skipPlainAttributes(bytes, EVENT_ATTRIBUTES_TAG, at, end);
      else if (kind === LINK) at = skipPlainAttributes(bytes, LINK_ATTRIBUTES_TAG, at, end);
    }
    while (at === end) {
      if (kind <= LINK) leaveMessage(walked, kind);
      if (depth === 0) return NO_FAULT;
      depth -= 1;
      end = open.end[depth]!;
      kind = open.kind[depth]!;
      if (kind === SCOPE_SPANS && depth < plainDepth) at = acceptPlainSpans(walked, at, end);
    }
    walked.faultOffsetBytes = at;
    const tag = bytes[at]!;
    const tagWidth = tag < 0x80 ? 1 : varintWidth(bytes, at, end);
    const action =
      tag < 0x80 ? ACTIONS[kind * ACTIONS_PER_KIND + tag]! : wideTagAction(walked, kind, tagWidth);
    at += tagWidth;
    if (action < BYTES) {
      at = stepOver(bytes, at, end, action);
      if (at < 0) return -at;
      if (action === PROFILES_ONLY) walked.sawProfilesOnlyField = true;
      continue;
    }
    const lengthWidth = varintWidth(bytes, at, end);
    if (lengthWidth === 0 || lengthWidth > MAX_LENGTH_BYTES) return BAD_VARINT;
    const length = varintValue(bytes, at, lengthWidth);
    at += lengthWidth;
    if (length > end - at) return OVERRUN;
    const child = action - DESCEND;
    if (child < 0) {
      if (action !== BYTES) noteId(walked, action, at, length);
      at += length;
    } else {
      if (depth + 1 >= limits.nestingDepth) return TOO_DEEP;
      if (child === SPAN && spansBegun(walked) >= limits.spansPerRequest) return TOO_MANY_SPANS;
      if (child <= LINK) enterMessage(walked, child, at, length);
      open.end[depth] = end;
      open.kind[depth] = kind;
      depth += 1;
      end = at + length;
      kind = child;
      if (kind === SPAN && open.plainEnd > at) at = resumeSpan(walked);
    }
  }
  return TOO_MANY_FIELDS;
}

function maxFields({ spansPerRequest }: WalkLimits): number {
  return Math.max(MIN_FIELDS, FIELDS_PER_SPAN * spansPerRequest);
}

/**
 * Accepts spans that are plain from first to last byte without entering them, and keeps their
 * offsets in local variables. Other spans, and the first span above the limit, are left to the
 * general walk, which resumes after the plain fields.
 */
function acceptPlainSpans(walked: WalkedRequest, from: number, end: number): number {
  const { request: bytes, spanOffset, spanLength, spanContext, spanTraceId } = walked;
  const { contextCount, limits } = walked;
  const rowsEnd = limits.spansPerRequest - walked.rejectedSpans;
  let row = walked.spanCount;
  let spanBytes = 0;
  let at = from;
  while (end - at > 2 && bytes[at] === SPANS_TAG && row < rowsEnd) {
    const lengthWidth = bytes[at + 1]! < 0x80 ? 1 : 2;
    const length = varintValue(bytes, at + 1, lengthWidth);
    const body = at + 1 + lengthWidth;
    if (bytes[body - 1]! > 0x7f || length > end - body) break;
    const fields = skipPlainIds(bytes, body, length);
    if (fields === body) break;
    const spanEnd = body + length;
    const plainEnd = skipPlainFields(bytes, fields, spanEnd);
    if (plainEnd < spanEnd) {
      walked.open.plainEnd = plainEnd;
      break;
    }
    spanOffset[row] = body;
    spanLength[row] = length;
    spanContext[row] = contextCount;
    spanTraceId[row] = body + PLAIN_TRACE_ID_AT;
    spanBytes += length;
    row += 1;
    at = spanEnd;
  }
  walked.plainSpans += row - walked.spanCount;
  walked.spanCount = row;
  walked.spanBytes += spanBytes;
  return at;
}

/**
 * Returns the action on a tag of several bytes. Only `Span.flags` and unknown fields have two-byte
 * tags, and more than five bytes are invalid.
 */
function wideTagAction(walked: WalkedRequest, kind: number, width: number): number {
  if (width === 0 || width > 5) return BAD_TAG;
  const tag = varintValue(walked.request, walked.faultOffsetBytes, width);
  return tag < 2 ** 32 ? fieldAction(kind, tag) : BAD_TAG;
}

/** Returns the start of the next field, or a negated fault. */
function stepOver(bytes: Uint8Array, at: number, end: number, action: number): number {
  if (action === BAD_TAG) return -BAD_FIELD_TAG;
  if (action === WRONG_WIRE_TYPE) return -FIELD_OF_WRONG_TYPE;
  if (action === FIXED64) return end - at < 8 ? -OVERRUN : at + 8;
  if (action === FIXED32) return end - at < 4 ? -OVERRUN : at + 4;
  const width = varintWidth(bytes, at, end);
  return width === 0 ? -BAD_VARINT : at + width;
}

/** Returns the position after the plain fields, which include the identifiers. */
function resumeSpan({ open }: WalkedRequest): number {
  open.spanFaults = 0;
  return open.plainEnd;
}

function spansBegun(walked: WalkedRequest): number {
  return walked.spanCount + walked.rejectedSpans;
}

/** Checks an identifier. The last occurrence of a field counts, as in any decoder. */
function noteId(walked: WalkedRequest, action: number, at: number, length: number): void {
  const { open, request } = walked;
  const hasTraceIdLength = length === TRACE_ID_BYTES;
  const hasSpanIdLength = length === SPAN_ID_BYTES;
  const isId = isValidId(request, at, at + length);
  const isTraceId = hasTraceIdLength && isId;
  const isSpanId = hasSpanIdLength && isId;
  const isOptionalTraceId = length === 0 || hasTraceIdLength;
  const isOptionalSpanId = length === 0 || hasSpanIdLength;
  if (action === CHECK_TRACE_ID) walked.spanTraceId[walked.spanCount] = at;
  if (action === CHECK_TRACE_ID) open.spanFaults = mark(open.spanFaults, BAD_TRACE_ID, isTraceId);
  else if (action === CHECK_SPAN_ID) open.spanFaults = mark(open.spanFaults, BAD_SPAN_ID, isSpanId);
  else if (action === CHECK_LINK_TRACE_ID)
    open.linkFaults = mark(open.linkFaults, BAD_TRACE_ID, isOptionalTraceId);
  else if (action === CHECK_LINK_SPAN_ID)
    open.linkFaults = mark(open.linkFaults, BAD_SPAN_ID, isOptionalSpanId);
  else open.spanFaults = mark(open.spanFaults, BAD_PARENT_SPAN_ID, isOptionalSpanId);
}

function mark(faults: number, fault: number, isGood: boolean): number {
  return isGood ? faults & ~fault : faults | fault;
}
