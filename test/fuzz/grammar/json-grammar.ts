import { type MessageName, OTLP } from "../../../src/domain/wire/otlp-schema.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";

/** Builds OTLP/JSON from the schema, with members of wrong types and unknown members. */

/** Deeper messages have fewer members, so that requests stay small and runs fast. */
const MAX_MEMBERS = 5;
const MAX_ITEMS = 3;
const MAX_DEPTH = 9;
const ODD_VALUES = [
  "null",
  "true",
  "-0",
  "1e400",
  '"NaN"',
  '"\\ud800"',
  "[]",
  "{}",
  '"',
  "01",
  "[[",
];
const NUMBERS = ["0", "1", '"1"', "-1", "4294967296", '"18446744073709551615"', "1.5", "1e3"];
const TEXTS = ['""', '"GET /orders"', '"\\u00e9\\ud83d\\ude00"', '"\\n\\\\\\""', '"é"'];

const FIELDS = Object.fromEntries(
  Object.entries(OTLP).map(([name, fields]) => [
    name,
    Object.entries(fields).map(([key, [, kind]]) => [key, kind] as const),
  ]),
) as unknown as Readonly<Record<MessageName, readonly (readonly [key: string, kind: string])[]>>;

export function jsonMessage(
  random: SeededRandom,
  name: MessageName = "ExportTraceServiceRequest",
  depth = 0,
): string {
  const length = random.between(0, Math.max(1, MAX_MEMBERS - depth));
  const members = Array.from({ length }, () => {
    const [key, kind] = random.pick(FIELDS[name]);
    return `${JSON.stringify(random.chance(0.97) ? key : "unknown")}:${value(random, kind, depth)}`;
  });
  if (name === "Span" && random.chance(0.9)) members.push(identifiers(random));
  return `{${members.join(random.chance(0.98) ? "," : " , ")}}`;
}

function identifiers(random: SeededRandom): string {
  return `"traceId":${hex(random, 16)},"spanId":${hex(random, 8)}`;
}

function value(random: SeededRandom, kind: string, depth: number): string {
  if (random.chance(0.02)) return random.pick(ODD_VALUES);
  if (kind.endsWith("[]")) {
    const length = random.between(0, MAX_ITEMS);
    const items = Array.from({ length }, () => value(random, kind.slice(0, -2), depth));
    return `[${items.join(",")}]`;
  }
  if (kind in OTLP)
    return depth >= MAX_DEPTH ? "{}" : jsonMessage(random, kind as MessageName, depth + 1);
  if (kind.endsWith("_id")) return hex(random, kind.includes("trace") ? 16 : 8);
  if (kind === "string") return random.pick(TEXTS);
  if (kind === "bytes") return '"AAEC/w=="';
  return kind === "bool" ? random.pick(["true", "false"]) : random.pick(NUMBERS);
}

function hex(random: SeededRandom, bytes: number): string {
  const octets = Uint8Array.from({ length: bytes }, () => random.between(0, 255));
  return `"${octets.toHex()}"`;
}
