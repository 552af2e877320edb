import { type FieldScan, nextField, scanFrom } from "./field-scan.ts";
import { type MessageName, SCHEMA } from "./otlp-schema.ts";

/**
 * The reasons why bytes are not an acceptable trace request. They are numbers, because the walk
 * returns a number.
 */
export const NO_FAULT = 0;
export const BAD_FIELD_TAG = 1;
export const FIELD_OF_WRONG_TYPE = 2;
export const BAD_VARINT = 3;
export const OVERRUN = 4;
export const TOO_DEEP = 5;
/** The faults that concern size rather than form. */
export const TOO_MANY_SPANS = 6;
export const TOO_MANY_FIELDS = 7;

const WORDS: Readonly<Record<number, string>> = {
  [BAD_FIELD_TAG]: "no valid field tag (field 0, a group, or more than 32 bits)",
  [FIELD_OF_WRONG_TYPE]: "a known field has the wrong wire type",
  [BAD_VARINT]: "a varint does not end within its message, or has too many bits",
  [OVERRUN]: "a field runs past the end of its message",
  [TOO_DEEP]: "messages are nested too deeply",
  [TOO_MANY_SPANS]: "more spans than one request may carry",
  [TOO_MANY_FIELDS]: "more fields than one request may carry",
};

/** Describes a fault and its place; `whole`, such as ` of it`, says in what it is counted. */
export function explainFault(fault: number, offsetBytes: number, whole = ""): string {
  return `at byte ${offsetBytes}${whole}: ${WORDS[fault]}`;
}

const MAX_NAMED = 4;

/**
 * Returns the fields that OTLP does not define, such as `ResourceSpans.1000`, in messages that may
 * hold spans: at most four, without duplicates. The wire walk must have accepted the request. It is
 * slow, so it is called only to explain why a request has no spans.
 */
export function unknownFields(request: Uint8Array): readonly string[] {
  const found = new Set<string>();
  search(scanFrom(request, 0, request.length), "ExportTraceServiceRequest", found);
  return [...found];
}

/**
 * Searches a message. A peer cannot affect the depth, because no message that may hold spans
 * contains its own kind.
 */
function search(scan: FieldScan, message: MessageName, found: Set<string>): void {
  while (found.size < MAX_NAMED && nextField(scan)) {
    const { bytes, fieldNumber, valueAt, at } = scan;
    const held = SCHEMA[message][fieldNumber];
    if (held === undefined) found.add(`${message}.${fieldNumber}`);
    if (held === "ResourceSpans" || held === "ScopeSpans") {
      search(scanFrom(bytes, valueAt, at), held, found);
    }
  }
}
