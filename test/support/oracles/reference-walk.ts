import {
  BAD_LINK,
  BAD_PARENT_SPAN_ID,
  BAD_SPAN_ID,
  BAD_TRACE_ID,
} from "../../../src/domain/span-validity.ts";
import { type MessageName, SCHEMA } from "../../../src/domain/wire/otlp-schema.ts";
import {
  BAD_FIELD_TAG,
  BAD_VARINT,
  FIELD_OF_WRONG_TYPE,
  NO_FAULT,
  OVERRUN,
  TOO_DEEP,
  TOO_MANY_SPANS,
} from "../../../src/domain/wire/walk-fault.ts";
import type { WalkLimits } from "../../../src/domain/wire/walked-request.ts";
import type { Extent, SpanPlace, WalkAnswer } from "./walk-answer.ts";

/**
 * A simple walk for comparison with the fast one: recursive, with varints as bigint and an object
 * per span, and without fast paths. It shares the schema, but no code.
 */
export function referenceWalk(bytes: Uint8Array, limits: WalkLimits): WalkAnswer {
  const walk: Walk = { bytes, limits, found: [], traceIdAt: 0, sawProfilesOnlyField: false };
  try {
    readMessage(walk, { name: "ExportTraceServiceRequest", start: 0, end: bytes.length, depth: 0 });
  } catch (thrown) {
    if (thrown instanceof Fault) return { fault: thrown.fault, faultOffsetBytes: thrown.at };
    throw thrown;
  }
  const rejected = walk.found.filter(({ faults }) => faults !== 0);
  const accepted = walk.found.filter(({ faults }) => faults === 0);
  return {
    fault: NO_FAULT,
    spans: accepted.map(placeOf),
    contextCount: new Set(accepted.map(({ scopeSpans }) => scopeSpans.offset)).size,
    spanBytes: totalBytes(accepted),
    rejectedSpans: rejected.length,
    rejectedPlaces: rejected.map(({ span: { length }, resourceSpans }) => ({
      resourceSpans,
      length,
    })),
    rejectedBytes: totalBytes(rejected),
    rejectedByFault: FAULTS.map((fault) => withFault(rejected, fault).length),
    rejectedBytesByFault: FAULTS.map((fault) => totalBytes(withFault(rejected, fault))),
    sawProfilesOnlyField: walk.sawProfilesOnlyField,
  };
}

const FAULTS = [BAD_TRACE_ID, BAD_SPAN_ID, BAD_PARENT_SPAN_ID, BAD_LINK];

function withFault(rejected: readonly FoundSpan[], fault: number): readonly FoundSpan[] {
  return rejected.filter(({ faults }) => (faults & fault) !== 0);
}

interface FoundSpan extends SpanPlace {
  readonly faults: number;
}

class Fault extends Error {
  readonly fault: number;
  readonly at: number;

  constructor(fault: number, at: number) {
    super(`fault ${fault} at ${at}`);
    this.fault = fault;
    this.at = at;
  }
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly limits: WalkLimits;
  readonly found: FoundSpan[];
  /** The offset in the current or last span. */
  traceIdAt: number;
  sawProfilesOnlyField: boolean;
}

interface Message {
  readonly name: MessageName;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  readonly around?: Message;
}

/** Reads a message; returns the faults of its identifiers. */
function readMessage(walk: Walk, message: Message): number {
  const ids = new Map<string, boolean>();
  let hasBadLink = false;
  for (let at = message.start; at < message.end;) {
    const field = readField(walk, message, at);
    at = field.end;
    const { action } = field;
    if (action === "profiles_only") walk.sawProfilesOnlyField = true;
    const body = walk.bytes.subarray(field.bodyStart, field.end);
    if (action === "trace_id") walk.traceIdAt = field.bodyStart;
    if (action.endsWith("_id")) ids.set(action, isGoodId(action, body));
    if (!isMessageName(action)) continue;
    const faults = readChild(walk, { field, message, name: action });
    if (action === "Link" && faults !== 0) hasBadLink = true;
  }
  if (message.name !== "Span" && message.name !== "Link") return 0;
  const isLink = message.name === "Link";
  const prefix = isLink ? "link_" : "";
  return (
    ((ids.get(`${prefix}trace_id`) ?? isLink) ? 0 : BAD_TRACE_ID) |
    ((ids.get(`${prefix}span_id`) ?? isLink) ? 0 : BAD_SPAN_ID) |
    (ids.get("parent_span_id") === false ? BAD_PARENT_SPAN_ID : 0) |
    (hasBadLink ? BAD_LINK : 0)
  );
}

interface Child {
  readonly field: Field;
  readonly message: Message;
  readonly name: MessageName;
}

function readChild(walk: Walk, { field, message, name }: Child): number {
  const { limits, found } = walk;
  const depth = message.depth + 1;
  if (depth >= limits.nestingDepth) throw new Fault(TOO_DEEP, field.start);
  const isSpan = name === "Span";
  if (isSpan && found.length >= limits.spansPerRequest) {
    throw new Fault(TOO_MANY_SPANS, field.start);
  }
  const child = { name, start: field.bodyStart, end: field.end, depth, around: message };
  const faults = readMessage(walk, child);
  if (isSpan) {
    const [span, scopeSpans, resourceSpans] = [child, message, message.around!].map(extentOf);
    const around = { scopeSpans: scopeSpans!, resourceSpans: resourceSpans! };
    found.push({ span: span!, ...around, traceIdAt: walk.traceIdAt, faults });
  }
  return faults;
}

interface Field {
  readonly start: number;
  readonly action: string;
  readonly bodyStart: number;
  readonly end: number;
}

function readField(walk: Walk, message: Message, start: number): Field {
  const { bytes } = walk;
  const { end } = message;
  const tag = readVarint(bytes, start, end);
  if (tag === undefined || tag.width > 5 || tag.value >= 2n ** 32n) {
    throw new Fault(BAD_FIELD_TAG, start);
  }
  const fieldNumber = Number(tag.value >> 3n);
  const wireType = Number(tag.value & 7n);
  if (fieldNumber === 0 || ![0, 1, 2, 5].includes(wireType)) throw new Fault(BAD_FIELD_TAG, start);
  const action = SCHEMA[message.name][fieldNumber] ?? "unknown";
  if (action !== "unknown" && wireTypeOf(action) !== wireType) {
    throw new Fault(FIELD_OF_WRONG_TYPE, start);
  }
  const at = start + tag.width;
  if (wireType === 1 || wireType === 5) {
    const fieldEnd = at + (wireType === 1 ? 8 : 4);
    if (fieldEnd > end) throw new Fault(OVERRUN, start);
    return { start, action, bodyStart: at, end: fieldEnd };
  }
  const varint = readVarint(bytes, at, end);
  if (varint === undefined) throw new Fault(BAD_VARINT, start);
  const bodyStart = at + varint.width;
  if (wireType === 0) return { start, action, bodyStart: at, end: bodyStart };
  if (varint.width > 5) throw new Fault(BAD_VARINT, start);
  if (BigInt(bodyStart) + varint.value > BigInt(end)) throw new Fault(OVERRUN, start);
  return { start, action, bodyStart, end: bodyStart + Number(varint.value) };
}

function readVarint(bytes: Uint8Array, start: number, end: number) {
  let value = 0n;
  for (let width = 1; width <= 10 && start + width <= end; width += 1) {
    const byte = bytes[start + width - 1]!;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (width - 1));
    if (byte < 0x80) return value < 2n ** 64n ? { value, width } : undefined;
  }
  return undefined;
}

function wireTypeOf(action: string): number {
  if (action === "fixed64") return 1;
  if (action === "fixed32") return 5;
  return action === "varint" || action === "profiles_only" ? 0 : 2;
}

function isMessageName(action: string): action is MessageName {
  return action in SCHEMA;
}

function isGoodId(action: string, id: Uint8Array): boolean {
  const hasLength = id.length === (action.endsWith("trace_id") ? 16 : 8);
  if (action === "trace_id" || action === "span_id") return hasLength && id.some(Boolean);
  return id.length === 0 || hasLength;
}

function placeOf({ span, resourceSpans, scopeSpans, traceIdAt }: FoundSpan): SpanPlace {
  return { span, resourceSpans, scopeSpans, traceIdAt };
}

function extentOf({ start, end }: Message): Extent {
  return { offset: start, length: end - start };
}

function totalBytes(found: readonly FoundSpan[]): number {
  return found.reduce((total, { span }) => total + span.length, 0);
}
