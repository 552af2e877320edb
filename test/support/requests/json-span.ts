import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";

const BEGIN = '{"resourceSpans":[{"scopeSpans":[{"spans":[{';
const END = "}]}]}]}";

/** The place of the first member's first byte in a body made by `bodyOfSpan`. */
export const MEMBERS_AT = BEGIN.length;

/** A body of OTLP/JSON whose one span has these members, which may be wrong in any way. */
export function bodyOfSpan(members: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(BEGIN + members + END);
}

/**
 * What became of a span with these members: the members as our own JSON writes them, from the bytes
 * that were made of them, or the message that says what is wrong.
 */
export function rereadSpan(members: string): string {
  const reading = requestFromJson(bodyOfSpan(members), { nestingDepth: 100 });
  if (!reading.ok) return reading.message;
  const text = otlpJson(reading.request);
  return text.startsWith(BEGIN) ? text.slice(BEGIN.length, -END.length) : text;
}

/** The same of one attribute value. */
export function rereadValue(value: string): string {
  const begin = '"attributes":[{"value":';
  const text = rereadSpan(`${begin}${value}}]`);
  return text.startsWith(begin) ? text.slice(begin.length, -2) : text;
}
