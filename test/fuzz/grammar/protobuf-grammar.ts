import { type MessageName, OTLP } from "../../../src/domain/wire/otlp-schema.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { wideVarint } from "../../support/requests/wire-bytes.ts";

/**
 * Builds encoded messages from the schema: with missing, repeated and unknown fields in any order,
 * and with overlong tags. For long runs, this is much faster than the arbitraries of fast-check.
 */

/** Deeper messages have fewer fields, so that requests stay small and runs fast. */
const MAX_FIELDS = 5;
const MAX_DEPTH = 9;
const ID_BYTES: Readonly<Record<string, number>> = {
  trace_id: 16,
  span_id: 8,
  parent_span_id: 8,
  link_trace_id: 16,
  link_span_id: 8,
};
const VARINTS = [0n, 1n, 2n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];
const TEXTS = ["", "GET /orders", "service.name", "é😀", "\u0000", "shop"];

type Field = readonly [fieldNumber: number, kind: string];

const FIELDS = Object.fromEntries(
  Object.entries(OTLP).map(([name, fields]) => [
    name,
    Object.values(fields as Record<string, Field>).map(([fieldNumber, kind]): Field => [
      fieldNumber,
      kind.replace("[]", ""),
    ]),
  ]),
) as unknown as Readonly<Record<MessageName, readonly Field[]>>;

export function protobufMessage(
  random: SeededRandom,
  name: MessageName = "ExportTraceServiceRequest",
  depth = 0,
): number[] {
  const fields = FIELDS[name];
  const bytes = name === "Span" && random.chance(0.9) ? identifiers(random) : [];
  for (
    let left = random.between(depth < 3 ? 1 : 0, Math.max(1, MAX_FIELDS - depth));
    left > 0;
    left -= 1
  ) {
    bytes.push(...(random.chance(0.05) ? unknownField(random) : field(random, fields, depth)));
  }
  return bytes;
}

/** Returns the two identifiers that make a span valid. */
function identifiers(random: SeededRandom): number[] {
  return [...head(random, 1, 2), 16, ...octets(random, 16), ...head(random, 2, 2), 8].concat(
    octets(random, 8),
  );
}

function field(random: SeededRandom, fields: readonly Field[], depth: number): number[] {
  const [fieldNumber, kind] = random.pick(fields);
  if (kind in OTLP) {
    const isDeep = depth >= MAX_DEPTH;
    const body = isDeep ? [] : protobufMessage(random, kind as MessageName, depth + 1);
    return delimited(random, fieldNumber, body);
  }
  return scalar(random, fieldNumber, kind);
}

function scalar(random: SeededRandom, fieldNumber: number, kind: string): number[] {
  if (kind === "fixed64" || kind === "double")
    return [...head(random, fieldNumber, 1), ...octets(random, 8)];
  if (kind === "fixed32") return [...head(random, fieldNumber, 5), ...octets(random, 4)];
  const idBytes = ID_BYTES[kind];
  if (idBytes !== undefined) {
    const length = random.chance(0.9) ? idBytes : random.between(0, idBytes + 2);
    return delimited(random, fieldNumber, octets(random, length));
  }
  if (kind === "string" || kind === "bytes")
    return delimited(random, fieldNumber, [...Buffer.from(random.pick(TEXTS))]);
  return [...head(random, fieldNumber, 0), ...number(random, random.pick(VARINTS), 10)];
}

function unknownField(random: SeededRandom): number[] {
  const fieldNumber = random.pick([17, 20, 31, 32, 1_000, 2 ** 29 - 1]);
  return scalar(random, fieldNumber, random.pick(["fixed64", "fixed32", "string", "uint32"]));
}

function delimited(random: SeededRandom, fieldNumber: number, body: readonly number[]): number[] {
  return [...head(random, fieldNumber, 2), ...number(random, BigInt(body.length), 5), ...body];
}

function head(random: SeededRandom, fieldNumber: number, wireType: number): number[] {
  return number(random, BigInt(fieldNumber * 8 + wireType), 5);
}

/** Encodes a varint, usually in the minimum number of bytes. */
function number(random: SeededRandom, value: bigint, widest: number): number[] {
  if (value < 128n && random.chance(0.97)) return [Number(value)];
  return wideVarint(value, random.chance(0.97) ? 1 : random.between(1, widest));
}

function octets(random: SeededRandom, length: number): number[] {
  const bytes: number[] = [];
  while (bytes.length < length) {
    const bits = random.bits();
    bytes.push(bits & 0xff, (bits >>> 8) & 0xff, (bits >>> 16) & 0xff, bits >>> 24);
  }
  bytes.length = length;
  return bytes;
}
