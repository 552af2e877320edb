import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { assert } from "../../../src/domain/assert.ts";
import { timeAlternately, type Turns } from "../alternate-timing.ts";
import type { RequestShape } from "../request-corpus.ts";

/**
 * Returns nanoseconds per span, one sample per round, for the reader of OTLP/JSON and for
 * `JSON.parse` on the same text. The latter gets a string; receiving one takes longer.
 */
export function timeJson(
  { bytes, spanCount }: RequestShape,
  turns: Turns,
): { read: number[]; parse: number[] } {
  const text = otlpJson(bytes);
  const body = new TextEncoder().encode(text);
  const readBody = () => requestFromJson(body, { nestingDepth: 100 });
  const read = { spanCount, run: () => void readBody() };
  const parse = { spanCount, run: () => void JSON.parse(text) };
  const reading = readBody();
  assert(reading.ok && otlpJson(reading.request) === text, "the request is read");
  const [readNs, parseNs] = timeAlternately([read, parse], turns);
  return { read: readNs!, parse: parseNs! };
}
