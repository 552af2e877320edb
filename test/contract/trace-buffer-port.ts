import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { SpanLink, TraceSpan } from "../../src/domain/trace-span.ts";
import type { TraceBufferPort } from "../../src/ports/trace-buffer.ts";
import { plainSpan } from "../support/requests/plain-span.ts";
import { traceSpanArbitrary } from "../support/requests/trace-span-arbitrary.ts";

/** Creates an empty buffer of this capacity, without other limits that these tests could reach. */
export type MakeBuffer = (capacitySpans: number) => TraceBufferPort;

/**
 * Tests the contract of every `TraceBufferPort`. It is run on every implementation, including
 * fakes.
 */
export function describeTraceBufferPort(name: string, makeBuffer: MakeBuffer): void {
  describe(name, () => {
    describeOrder(makeBuffer);
    describeLimits(makeBuffer);
    describeValidity(makeBuffer);
  });
}

function span(number: number): TraceSpan {
  const spanId = number.toString(16).padStart(16, "0");
  return { ...plainSpan(), spanId, name: `span ${number}` };
}

function filled(makeBuffer: MakeBuffer, capacitySpans: number, spanCount: number) {
  const buffer = makeBuffer(capacitySpans);
  for (let number = 1; number <= spanCount; number += 1) buffer.addSpan(span(number));
  return buffer;
}

function names(spans: readonly TraceSpan[]): string[] {
  return spans.map(({ name }) => name);
}

function describeOrder(makeBuffer: MakeBuffer): void {
  test("a new buffer is empty", () => {
    const buffer = makeBuffer(3);

    expect([buffer.size(), buffer.isFull(), buffer.getSpans(1)]).toEqual([0, false, []]);
  });

  test("spans are returned oldest first and removed", () => {
    const buffer = filled(makeBuffer, 5, 3);

    expect(names(buffer.getSpans(2))).toEqual(["span 1", "span 2"]);
    expect(buffer.size()).toBe(1);
    expect(names(buffer.getSpans(2))).toEqual(["span 3"]);
    expect(buffer.size()).toBe(0);
  });

  test("a request for more spans than are buffered returns all of them", () => {
    const buffer = filled(makeBuffer, 5, 3);

    expect(buffer.getSpans(Number.POSITIVE_INFINITY)).toHaveLength(3);
  });

  test.each<{ count: number; expected: string[] }>([
    { count: 0, expected: [] },
    { count: -1, expected: [] },
    { count: Number.NEGATIVE_INFINITY, expected: [] },
    { count: Number.NaN, expected: [] },
    { count: 0.9, expected: [] },
    { count: 1.9, expected: ["span 1"] },
  ])("a request for $count spans returns none twice", ({ count, expected }) => {
    const buffer = filled(makeBuffer, 5, 3);

    expect(names(buffer.getSpans(count))).toEqual(expected);
    expect(buffer.size()).toBe(3 - expected.length);
    expect(names(buffer.getSpans(5))).toEqual(
      ["span 1", "span 2", "span 3"].slice(expected.length),
    );
  });

  test("a span that is added twice is stored twice", () => {
    const buffer = makeBuffer(5);

    buffer.addSpan(span(1));
    buffer.addSpan(span(1));

    expect(names(buffer.getSpans(5))).toEqual(["span 1", "span 1"]);
  });

  test("a span is returned as it was added, with all its fields", () => {
    const property = fc.property(fc.array(traceSpanArbitrary, { maxLength: 4 }), (spans) => {
      const buffer = makeBuffer(4);

      expect(spans.map((traceSpan) => buffer.addSpan(traceSpan))).toEqual(spans.map(() => true));
      expect(buffer.getSpans(4)).toStrictEqual(spans);
    });

    fc.assert(property, { numRuns: 50 });
  });
}

function describeLimits(makeBuffer: MakeBuffer): void {
  test("a buffer is full at its capacity, and not one span before", () => {
    const buffer = filled(makeBuffer, 3, 2);
    const before = buffer.isFull();

    buffer.addSpan(span(3));

    expect([before, buffer.isFull(), buffer.size()]).toEqual([false, true, 3]);
  });

  test("a full buffer evicts its oldest span", () => {
    const buffer = filled(makeBuffer, 3, 3);

    expect(buffer.addSpan(span(4))).toBe(true);
    expect([buffer.size(), buffer.isFull()]).toEqual([3, true]);
    expect(names(buffer.getSpans(3))).toEqual(["span 2", "span 3", "span 4"]);
  });

  test("a full buffer has room after a span is taken", () => {
    const buffer = filled(makeBuffer, 3, 9);

    buffer.getSpans(1);

    expect([buffer.size(), buffer.isFull()]).toEqual([2, false]);
  });

  test("a buffer for one span holds the newest", () => {
    const buffer = filled(makeBuffer, 1, 7);

    expect(names(buffer.getSpans(7))).toEqual(["span 7"]);
  });
}

const goodLink = {
  traceId: "1".repeat(32),
  spanId: "1".repeat(16),
  traceState: "",
  flags: 0,
  attributes: [],
  droppedAttributesCount: 0,
};

/** Returns links with a valid link on either side of this one. */
function linkedTo(link: Partial<SpanLink>): Pick<TraceSpan, "links"> {
  return { links: [goodLink, { ...goodLink, ...link }, goodLink] };
}

function describeValidity(makeBuffer: MakeBuffer): void {
  test.each<{ name: string; wrong: Partial<TraceSpan> }>([
    { name: "no trace id", wrong: { traceId: "" } },
    { name: "a trace id of zeros", wrong: { traceId: "0".repeat(32) } },
    { name: "a trace id too short", wrong: { traceId: "1".repeat(30) } },
    { name: "a trace id too long", wrong: { traceId: "1".repeat(34) } },
    { name: "a trace id that is not hex", wrong: { traceId: "g".repeat(32) } },
    { name: "no span id", wrong: { spanId: "" } },
    { name: "a span id of zeros", wrong: { spanId: "0".repeat(16) } },
    { name: "a span id too short", wrong: { spanId: "1".repeat(14) } },
    { name: "a span id too long", wrong: { spanId: "1".repeat(18) } },
    { name: "a parent id too short", wrong: { parentSpanId: "1".repeat(14) } },
    { name: "a parent id too long", wrong: { parentSpanId: "1".repeat(18) } },
    { name: "a link's trace id too short", wrong: linkedTo({ traceId: "1".repeat(30) }) },
    { name: "a link's trace id not hex", wrong: linkedTo({ traceId: "g".repeat(32) }) },
    { name: "a link's span id too long", wrong: linkedTo({ spanId: "1".repeat(18) }) },
  ])("a span with $name is refused and evicts nothing", ({ wrong }) => {
    const buffer = filled(makeBuffer, 2, 2);

    expect(buffer.addSpan({ ...span(3), ...wrong })).toBe(false);
    expect(names(buffer.getSpans(2))).toEqual(["span 1", "span 2"]);
  });

  test("a span with a parent and links is valid", () => {
    const buffer = makeBuffer(1);
    const linked = { ...span(1), parentSpanId: "2".repeat(16), links: [goodLink, goodLink] };

    expect(buffer.addSpan(linked)).toBe(true);
    expect(buffer.getSpans(1)).toStrictEqual([linked]);
  });

  test.each([
    { name: "without ids", link: { traceId: "", spanId: "" } },
    { name: "without a trace id", link: { traceId: "" } },
    { name: "without a span id", link: { spanId: "" } },
    { name: "of zeros", link: { traceId: "0".repeat(32), spanId: "0".repeat(16) } },
  ])("a span with a link $name is valid, and its link is unchanged", ({ link }) => {
    const buffer = makeBuffer(1);
    const linked = { ...span(1), ...linkedTo(link) };

    expect(buffer.addSpan(linked)).toBe(true);
    expect(buffer.getSpans(1)).toStrictEqual([linked]);
  });
}
