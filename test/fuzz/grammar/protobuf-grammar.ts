import { type MessageName, OTLP } from "../../../src/domain/wire/otlp-schema.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { wideVarint } from "../../support/requests/wire-bytes.ts";

/**
 * Encoded messages from the schema: fields in any order, missing, repeated and unknown ones, heads
 * in more bytes than they need. Much quicker than the arbitraries of fast-check, for long runs.
 */

const MAX_FIELDS = 6;
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

export function protobufMessage(
  random: SeededRandom,
  name: MessageName = "ExportTraceServiceRequest",
  depth = 0,
): number[] {
  const fields = Object.values(OTLP[name]) as (readonly [number, string])[];
  const bytes = name === "Span" && random.chance(0.9) ? identifiers(random) : [];
  for (let left = random.between(0, MAX_FIELDS); left > 0; left -= 1) {
    bytes.push(...(random.chance(0.05) ? unknownField(random) : field(random, fields, depth)));
  }
  return bytes;
}

/** The two that make a span valid. */
function identifiers(random: SeededRandom): number[] {
  return [...head(random, 1, 2), 16, ...octets(random, 16), ...head(random, 2, 2), 8].concat(
    octets(random, 8),
  );
}

function field(
  random: SeededRandom,
  fields: readonly (readonly [number, string])[],
  depth: number,
): number[] {
  const [fieldNumber, listed] = random.pick(fields);
  const kind = listed.replace("[]", "");
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

/** Mostly in as few bytes as it needs. */
function number(random: SeededRandom, value: bigint, widest: number): number[] {
  return wideVarint(value, random.chance(0.97) ? 1 : random.between(1, widest));
}

function octets(random: SeededRandom, length: number): number[] {
  return Array.from({ length }, () => random.between(0, 255));
}
