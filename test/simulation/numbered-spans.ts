import { everySpan } from "../../src/domain/wire/request-spans.ts";
import { writeVarint, varintSize } from "../../src/domain/wire/scalars.ts";

/**
 * Spans that are identified by a number, which is in their identifiers and determines all their
 * bytes. So a span can be compared with what was sent, without storing that.
 *
 *   |0a 10|trace id ....number|12 08|span id ....number|2a length|name|
 */
const NUMBER_AT = 2 + 16 + 2 + 4;
const NAME_AT = 2 + 16 + 2 + 8;
const MAX_NAME_BYTES = 12_000;
const PATTERN_BYTES = 251;

const pattern = Uint8Array.from(
  { length: MAX_NAME_BYTES + PATTERN_BYTES },
  (_, index) => 97 + ((index * index + (index >> 5)) % 26),
);
const resource = Uint8Array.from([0x0a, 4, 0x0a, 2, 0x12, 0]);

/** Returns the length of a name. Most are short; some take several pages. */
function nameBytes(number: number): number {
  const word = Math.imul(number, 0x9e_37_79_b1) >>> 0;
  const share = word % 100;
  const part = (word >>> 8) / 2 ** 24;
  if (share < 80) return Math.floor(part * 60);
  if (share < 98) return Math.floor(part * 1_000);
  return Math.floor(part * MAX_NAME_BYTES);
}

/** Returns the length of a span as an encoded `Span` message. */
export function numberedSpanBytes(number: number): number {
  const length = nameBytes(number);
  return NAME_AT + 1 + varintSize(length) + length;
}

function writeSpan(into: Uint8Array, at: number, number: number): number {
  const view = new DataView(into.buffer, into.byteOffset);
  into.set([0x0a, 16], at);
  view.setUint32(at + 2, 0xab_cd_ef_01);
  view.setUint32(at + 2 + 12, number);
  into.set([0x12, 8], at + 18);
  view.setUint32(at + 20, 0xfe_dc_ba_98);
  view.setUint32(at + NUMBER_AT, number);
  into[at + NAME_AT] = 0x2a;
  const length = nameBytes(number);
  const nameAt = writeVarint(into, at + NAME_AT + 1, length);
  into.set(pattern.subarray(number % PATTERN_BYTES, (number % PATTERN_BYTES) + length), nameAt);
  return nameAt + length;
}

/** Returns a request of spans with consecutive numbers, all in one scope. */
export function numberedRequest(first: number, spanCount: number): Uint8Array<ArrayBuffer> {
  const numbers = Array.from({ length: spanCount }, (_, index) => first + index);
  const fields = numbers.map((number) => field(numberedSpanBytes(number)));
  const scopeBytes = fields.reduce((sum, bytes) => sum + bytes, 0);
  const resourceBytes = resource.length + field(scopeBytes);
  const request = new Uint8Array(field(resourceBytes));
  let at = writeHead(request, 0, 0x0a, resourceBytes);
  request.set(resource, at);
  at = writeHead(request, at + resource.length, 0x12, scopeBytes);
  for (const number of numbers) {
    at = writeSpan(request, writeHead(request, at, 0x12, numberedSpanBytes(number)), number);
  }
  return request;
}

function field(bodyBytes: number): number {
  return 1 + varintSize(bodyBytes) + bodyBytes;
}

function writeHead(into: Uint8Array, at: number, tag: number, length: number): number {
  into[at] = tag;
  return writeVarint(into, at + 1, length);
}

/**
 * Returns the numbers of the spans in a request, in order; throws for a span that was never sent.
 */
export function numbersIn(request: Uint8Array): number[] {
  const table = everySpan({ bytes: request, offset: 0, length: request.length });
  return Array.from({ length: table.spanCount }, (_, row) => {
    const at = table.spanOffset[row]!;
    return numberOf(request.subarray(at, at + table.spanLength[row]!));
  });
}

function numberOf(span: Uint8Array): number {
  if (span.length < NAME_AT) throw new Error("a span was never sent: it is too short");
  const number = new DataView(span.buffer, span.byteOffset).getUint32(NUMBER_AT);
  const sent = new Uint8Array(numberedSpanBytes(number));
  writeSpan(sent, 0, number);
  if (Buffer.compare(sent, span) !== 0) throw new Error(`span ${number} is not as it was sent`);
  return number;
}
