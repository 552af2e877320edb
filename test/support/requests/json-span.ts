import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";

const BEGIN = '{"resourceSpans":[{"scopeSpans":[{"spans":[{';
const END = "}]}]}]}";

/** The offset of the first byte of the first member in a body made by `bodyOfSpan`. */
export const MEMBERS_AT = BEGIN.length;

/**
 * Returns a body of OTLP/JSON whose one span has these members, which may be invalid in any way.
 */
export function bodyOfSpan(members: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(BEGIN + members + END);
}

/**
 * Returns the members of a span as our JSON writer prints them after a round trip, or the message
 * that explains their mistake.
 */
export function rereadSpan(members: string): string {
  const reading = requestFromJson(bodyOfSpan(members), { nestingDepth: 100 });
  if (!reading.ok) return reading.message;
  const text = otlpJson(reading.request);
  return text.startsWith(BEGIN) ? text.slice(BEGIN.length, -END.length) : text;
}

/** Returns the same for one attribute value. */
export function rereadValue(value: string): string {
  const begin = '"attributes":[{"value":';
  const text = rereadSpan(`${begin}${value}}]`);
  return text.startsWith(begin) ? text.slice(begin.length, -2) : text;
}
