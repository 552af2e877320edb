import * as fc from "fast-check";
import { type MessageName, MESSAGES, SCHEMA } from "../../../src/domain/wire/otlp-schema.ts";
import { wideVarint } from "./wire-bytes.ts";

/**
 * Encoded trace requests of any form that the encoding allows and the walk accepts: fields in any
 * order, absent or repeated, unknown ones between them, and tags, lengths and numbers wider than
 * necessary. They are generated from the schema, so they cover all of OTLP.
 */

type Bytes = readonly number[];

/** Usually the width that encoders write, sometimes wider. */
const width = (widest: number) =>
  fc.oneof(
    { arbitrary: fc.constant(1), weight: 12 },
    { arbitrary: fc.integer({ min: 2, max: widest }), weight: 1 },
  );

const bytesOf = (constraints: fc.IntArrayConstraints) =>
  fc.uint8Array(constraints).map((bytes): Bytes => Array.from(bytes));

const text = fc.oneof(
  { arbitrary: bytesOf({ maxLength: 12 }), weight: 8 },
  { arbitrary: bytesOf({ minLength: 126, maxLength: 140 }), weight: 1 },
);

const number64 = fc.oneof(
  fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 14n - 1n, 2n ** 14n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

const varint = fc
  .tuple(number64, width(10))
  .map(([value, bytes]): Bytes => wideVarint(value, bytes));

const fixed = (lengthBytes: number) => bytesOf({ minLength: lengthBytes, maxLength: lengthBytes });

const identifier = (lengthBytes: number) =>
  fc.oneof(
    { arbitrary: fixed(lengthBytes), weight: 12 },
    { arbitrary: fc.constant<Bytes>(Array<number>(lengthBytes).fill(0)), weight: 1 },
    { arbitrary: bytesOf({ maxLength: lengthBytes + 2 }), weight: 1 },
  );

const IDENTIFIER_BYTES: Readonly<Record<string, number>> = {
  trace_id: 16,
  span_id: 8,
  parent_span_id: 8,
  link_trace_id: 16,
  link_span_id: 8,
};

const WIRE_TYPES: Readonly<Record<string, number>> = {
  varint: 0,
  profiles_only: 0,
  fixed64: 1,
  fixed32: 5,
};

function fieldOf(fieldNumber: number, wireType: number, content: fc.Arbitrary<Bytes>) {
  return fc.tuple(content, width(5), width(5)).map(([body, tagBytes, lengthBytes]): Bytes => {
    const tag = wideVarint(fieldNumber * 8 + wireType, tagBytes);
    const length = wireType === 2 ? wideVarint(body.length, lengthBytes) : [];
    return [...tag, ...length, ...body];
  });
}

const unknownField = fc.oneof(
  ...[17, 20, 31, 32, 1000, 2 ** 29 - 1].flatMap((fieldNumber) => [
    fieldOf(fieldNumber, 0, varint),
    fieldOf(fieldNumber, 1, fixed(8)),
    fieldOf(fieldNumber, 2, text),
    fieldOf(fieldNumber, 5, fixed(4)),
  ]),
);

type Messages = Record<MessageName, Bytes>;
type Tie = fc.LetrecTypedTie<Messages>;

function knownField(tie: Tie, fieldNumber: number, action: string): fc.Arbitrary<Bytes> {
  const wireType = WIRE_TYPES[action] ?? 2;
  if (wireType === 0) return fieldOf(fieldNumber, 0, varint);
  if (wireType !== 2) return fieldOf(fieldNumber, wireType, fixed(wireType === 1 ? 8 : 4));
  const idBytes = IDENTIFIER_BYTES[action];
  if (idBytes !== undefined) return fieldOf(fieldNumber, 2, identifier(idBytes));
  return fieldOf(fieldNumber, 2, action in SCHEMA ? tie(action as MessageName) : text);
}

function message(tie: Tie, name: MessageName): fc.Arbitrary<Bytes> {
  const known = Object.entries(SCHEMA[name]).map(([fieldNumber, action]) =>
    knownField(tie, Number(fieldNumber), action),
  );
  const field = fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    unknownField,
    ...known.map((arbitrary) => ({ arbitrary, weight: 4 })),
  );
  const fields = fc.array(field, { maxLength: name === "Span" ? 8 : 5, depthIdentifier: "otlp" });
  const ids = name === "Span" || name === "Link" ? fc.tuple(known[0]!, known[1]!) : fc.constant([]);
  return fc
    .tuple(ids, fields, fc.boolean())
    .map(([first, rest, isIdsLast]) => (isIdsLast ? [...rest, ...first] : [...first, ...rest]))
    .map((all): Bytes => all.flat());
}

const messages = fc.letrec<Messages>(
  (tie) =>
    Object.fromEntries(MESSAGES.map((name) => [name, message(tie, name)])) as {
      [Name in MessageName]: fc.Arbitrary<Bytes>;
    },
);

export const requestArbitrary: fc.Arbitrary<Uint8Array<ArrayBuffer>> =
  messages.ExportTraceServiceRequest.map((bytes) => Uint8Array.from(bytes));

/** A change that replaces a few bytes by others, by none or by more. */
export interface ByteChange {
  readonly at: number;
  readonly removed: number;
  readonly added: Bytes;
}

export const byteChangeArbitrary: fc.Arbitrary<ByteChange> = fc.record({
  at: fc.nat({ max: 2 ** 16 }),
  removed: fc.nat({ max: 3 }),
  added: bytesOf({ maxLength: 3 }),
});

export function changed(
  bytes: Uint8Array,
  changes: readonly ByteChange[],
): Uint8Array<ArrayBuffer> {
  const all = Array.from(bytes);
  for (const { at, removed, added } of changes) {
    all.splice(at % (all.length + 1), removed, ...added);
  }
  return Uint8Array.from(all);
}
