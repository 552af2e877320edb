import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";
import { otlpJson, otlpJsonChunks } from "../../../src/adapters/otlp/json/otlp-json.ts";
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

/**
 * Returns nanoseconds per span, one sample per round, for the writer of OTLP/JSON and for
 * `JSON.stringify` on the same objects. The latter gets them decoded, and makes a string.
 */
export function timeJsonWriting(
  { bytes, spanCount }: RequestShape,
  turns: Turns,
): { write: number[]; stringify: number[] } {
  const objects: unknown = JSON.parse(otlpJson(bytes));
  const write = { spanCount, run: () => void [...otlpJsonChunks(bytes)] };
  const stringify = { spanCount, run: () => void JSON.stringify(objects) };
  const [writeNs, stringifyNs] = timeAlternately([write, stringify], turns);
  return { write: writeNs!, stringify: stringifyNs! };
}
