import * as fc from "fast-check";
import { expect, test } from "bun:test";
import { AssertionError } from "../../../src/domain/assert.ts";
import { assembleRequest, concatenate } from "../../../src/domain/wire/assemble.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createSpanTable, type SpanTable } from "../../../src/domain/wire/request-spans.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { handBuiltRequests } from "../../support/requests/hand-built-requests.ts";
import { largeField, repeated } from "../../support/requests/large-bytes.ts";
import {
  encodeKept,
  encodeShape,
  requestShapeArbitrary,
  spansOf,
} from "../../support/requests/request-shape.ts";
import { request, serverRequest, span, spanBody } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField, wideBytesField } from "../../support/requests/wire-bytes.ts";

const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });

/** Returns the rows of a walk that `isKept` selects, as a table of their own. */
function keep(isKept: (row: number) => boolean): SpanTable {
  const table = createSpanTable(walked.spanCount);
  for (let row = 0; row < walked.spanCount; row += 1) {
    if (!isKept(row)) continue;
    table.spanOffset[table.spanCount] = walked.spanOffset[row]!;
    table.spanLength[table.spanCount] = walked.spanLength[row]!;
    table.spanContext[table.spanCount] = walked.spanContext[row]!;
    table.spanCount += 1;
  }
  const columns = ["resourceOffset", "resourceLength", "scopeOffset", "scopeLength"] as const;
  for (const column of columns) table[column].set(walked[column].subarray(0, walked.contextCount));
  table.contextCount = walked.contextCount;
  return table;
}

function assemble(bytes: Uint8Array, isKept: (row: number) => boolean): Uint8Array<ArrayBuffer> {
  walkRequest(walked, bytes);
  expect(walked.fault).toBe(NO_FAULT);
  return assembleRequest({ bytes, offset: 0, length: bytes.length }, keep(isKept));
}

const scoped = (...fields: number[][]) => request(bytesField(1, bytesField(2, ...fields)));
const between = varintField(30, 1);
const wide = (number: number) => wideBytesField(2, { tag: 2, length: 3 }, spanBody(number));

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly kept: readonly number[];
  readonly expected: Uint8Array;
}

test.each<Case>([
  {
    name: "neighbours stay together",
    bytes: scoped(span(1), span(2), span(3), span(4)),
    kept: [1, 2],
    expected: scoped(span(2), span(3)),
  },
  {
    name: "spans around a removed one become adjacent",
    bytes: scoped(span(1), span(2), span(3)),
    kept: [0, 2],
    expected: scoped(span(1), span(3)),
  },
  {
    name: "a field between two spans is moved before both",
    bytes: scoped(span(1), between, span(2)),
    kept: [0, 1],
    expected: scoped(between, span(1), span(2)),
  },
  {
    name: "fields around removed spans stay",
    bytes: scoped(between, span(1), between, span(2), between),
    kept: [1],
    expected: scoped(between, between, between, span(2)),
  },
  {
    name: "overlong tags and lengths are shortened",
    bytes: scoped(wide(1), wide(2), span(3)),
    kept: [0, 1, 2],
    expected: scoped(span(1), span(2), span(3)),
  },
  {
    name: "envelopes without remaining spans are omitted with their fields",
    bytes: request(
      bytesField(1, between, bytesField(2, between, span(1))),
      bytesField(1, bytesField(2, between), bytesField(2, span(2)), bytesField(2, span(3))),
    ),
    kept: [2],
    expected: request(bytesField(1, bytesField(2, span(3)))),
  },
  {
    name: "fields of the request itself stay",
    bytes: request(between, bytesField(1, bytesField(2, span(1), span(2))), between),
    kept: [1],
    expected: request(between, between, bytesField(1, bytesField(2, span(2)))),
  },
])("$name", ({ bytes, kept, expected }) => {
  const assembled = assemble(bytes, (row) => kept.includes(row));

  expect(assembled.toHex()).toBe(expected.toHex());
});

test("all spans of a request whose other fields come first yield that request", () => {
  const bytes = scoped(bytesField(1, bytesField(1, "scope")), span(1), span(2));

  expect(assemble(bytes, () => true)).toEqual(bytes);
});

test("assembling without a span fails", () => {
  expect(() => assemble(serverRequest(1), () => false)).toThrow(AssertionError);
});

test("an assembled request does not share the memory of its source", () => {
  const bytes = serverRequest(2);
  const assembled = assemble(bytes, (row) => row === 1);
  const before = assembled.toHex();

  bytes.fill(0xee);

  expect(assembled.toHex()).toBe(before);
});

const anyKept = fc.record({
  shape: requestShapeArbitrary,
  pattern: fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
  before: fc.uint8Array({ maxLength: 40 }),
});

// Goal: an assembled request contains exactly the chosen spans, their bytes and their envelopes.
// Method: the expected bytes are computed from the tree from which the request was encoded.
test("exactly the chosen spans of any request remain, byte for byte", () => {
  const property = fc.property(anyKept, ({ shape, pattern, before }) => {
    const spans = spansOf(shape);
    const isKept = (row: number) => pattern[row % pattern.length]! || row === spans.length - 1;
    const kept = new Set(spans.filter((_, row) => isKept(row)));
    const bytes = encodeShape(shape);

    const assembled = assemble(bytes, isKept);

    expect(assembled.toHex()).toBe(encodeKept(shape, kept).toHex());
    expect(assembled.length).toBeLessThanOrEqual(bytes.length);
    expect(assembleAt(before.length, bytes, isKept).toHex()).toBe(assembled.toHex());
  });

  fc.assert(property, { numRuns: fuzzRuns(1_000) });
});

/** Assembles as in the ring: the request is part of a larger memory, whose offsets are used. */
function assembleAt(offset: number, bytes: Uint8Array, isKept: (row: number) => boolean) {
  const arena = new Uint8Array(offset + bytes.length + 20).fill(0x12);
  arena.set(bytes, offset);
  walkRequest(walked, bytes);
  const table = keep(isKept);
  for (const column of [table.spanOffset, table.resourceOffset, table.scopeOffset]) {
    column.forEach((start, row) => (column[row] = start + offset));
  }
  return assembleRequest({ bytes: arena, offset, length: bytes.length }, table);
}

test.each(Object.entries(handBuiltRequests))(
  "any run of spans decodes to those spans with their envelopes: %s",
  (_, bytes) => {
    walkRequest(walked, bytes);
    const all = decodeSpans(assemble(bytes, () => true));
    const runs = all.flatMap((_span, first) =>
      all.slice(first).map((_other, length) => ({ first, end: first + length + 1 })),
    );

    const decoded = runs.map(({ first, end }) =>
      decodeSpans(assemble(bytes, (row) => row >= first && row < end)),
    );

    expect(decoded).toEqual(runs.map(({ first, end }) => all.slice(first, end)));
  },
);

// If the work grew with the square of the size, these tests would time out.
test("every other of 100,000 spans of one scope can be kept", () => {
  const bytes = largeField(1, largeField(2, between, repeated(span(1), 100_000)));

  const assembled = assemble(bytes, (row) => row % 2 === 0);

  const kept = largeField(1, largeField(2, between, repeated(span(1), 50_000)));
  expect(Buffer.compare(assembled, kept)).toBe(0);
});

test("100,000 spans with a field before each can be kept", () => {
  const bytes = largeField(1, largeField(2, repeated([...between, ...span(1)], 100_000)));

  const assembled = assemble(bytes, () => true);

  const others = repeated(between, 100_000);
  const kept = largeField(1, largeField(2, others, repeated(span(1), 100_000)));
  expect(Buffer.compare(assembled, kept)).toBe(0);
});

test("every other of 20,000 scopes, and of 20,000 resources, can be kept", () => {
  const scopes = repeated(bytesField(2, span(1)), 20_000);
  const resources = repeated(bytesField(1, bytesField(2, span(1))), 20_000);
  const bytes = new Uint8Array(Buffer.concat([largeField(1, scopes), resources]));

  const assembled = assemble(bytes, (row) => row % 2 === 1);

  const half = [
    largeField(1, scopes.subarray(scopes.length / 2)),
    resources.subarray(resources.length / 2),
  ];
  expect(Buffer.compare(assembled, Buffer.concat(half))).toBe(0);
});

test.each<{ name: string; pieces: number[][]; whole: number[] }>([
  { name: "no pieces yield an empty array", pieces: [], whole: [] },
  { name: "empty pieces are skipped", pieces: [[], [1], []], whole: [1] },
  { name: "pieces are joined in order", pieces: [[1, 2], [3], [4, 5]], whole: [1, 2, 3, 4, 5] },
])("$name", ({ pieces, whole }) => {
  const joined = concatenate(pieces.map((piece) => Uint8Array.from(piece)));

  expect(Array.from(joined)).toEqual(whole);
});

test("a single piece is copied as well, so that it does not change with the ring", () => {
  const piece = Uint8Array.of(1, 2);

  const joined = concatenate([piece]);
  piece.fill(9);

  expect(Array.from(joined)).toEqual([1, 2]);
});
