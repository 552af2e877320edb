import { describe, expect, test } from "bun:test";
import { copyOldest, copySpans, takeOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import { createRingMemory } from "../../../src/application/ring/ring-memory.ts";
import { joined, put, ringOf } from "../../support/running/filled-ring.ts";
import { handBuiltRequests, unknownFields } from "../../support/requests/hand-built-requests.ts";
import { request, requestOf, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

const ROOMY = { spans: 1_000, bytes: 1 << 20 };

/** Returns a request with one scope that contains only these spans. */
function bare(...numbers: number[]): Uint8Array<ArrayBuffer> {
  return request(bytesField(1, bytesField(2, ...numbers.map((number) => span(number)))));
}

test.each(Object.entries(handBuiltRequests).filter(([name]) => !name.includes("that are not")))(
  "a complete request leaves as the bytes that were received: %s",
  (_, bytes) => {
    const ring = ringOf(ROOMY, bytes);

    expect(takeOldest(ring, readStats(ring).spans.buffered).request.toHex()).toBe(bytes.toHex());
  },
);

test("several complete requests leave in order and unchanged", () => {
  const requests = [bare(1), handBuiltRequests["unknown fields at every level"]!, bare(2, 3)];
  const ring = ringOf(ROOMY, ...requests);

  expect(takeOldest(ring, 5).request.toHex()).toBe(joined(...requests).toHex());
});

test("a partly evicted request keeps its other spans and the messages around them", () => {
  const around = [varintField(40, 1), bytesField(1, bytesField(1, "scope"))];
  const whole = request(
    ...unknownFields,
    bytesField(1, ...unknownFields, bytesField(2, ...around, span(1), ...unknownFields, span(2))),
  );
  const ring = ringOf({ spans: 2, bytes: 10_000 }, whole, bare(3));

  const left = [...around, ...unknownFields, span(2)].flat();
  const part = request(...unknownFields, bytesField(1, ...unknownFields, bytesField(2, left)));
  expect(takeOldest(ring, 2).request.toHex()).toBe(joined(part, bare(3)).toHex());
});

test("a hand-over may begin and end within requests, with complete ones between them", () => {
  const ring = ringOf(ROOMY, bare(1, 2, 3), requestOf(2, 4), bare(6, 7, 8));
  takeOldest(ring, 1);

  expect(takeOldest(ring, 5).request.toHex()).toBe(
    joined(bare(2, 3), requestOf(2, 4), bare(6)).toHex(),
  );
  expect(takeOldest(ring, 2).request.toHex()).toBe(bare(7, 8).toHex());
});

test("a hand-over may start and end within one request", () => {
  const ring = ringOf(ROOMY, bare(1, 2, 3, 4));
  takeOldest(ring, 1);

  expect(takeOldest(ring, 2).request.toHex()).toBe(bare(2, 3).toHex());
});

const scope = (name: string, ...spans: number[][]) =>
  bytesField(2, bytesField(1, bytesField(1, name)), ...spans);

test("the remaining spans of several scopes keep their scopes", () => {
  const whole = request(
    bytesField(1, scope("a", span(1), span(2)), scope("b", span(3))),
    bytesField(1, bytesField(3, "schema"), scope("c", span(4), span(5))),
  );
  const ring = ringOf(ROOMY, whole);
  takeOldest(ring, 1);

  const part = request(
    bytesField(1, scope("a", span(2)), scope("b", span(3))),
    bytesField(1, bytesField(3, "schema"), scope("c", span(4))),
  );
  expect(takeOldest(ring, 3).request.toHex()).toBe(part.toHex());
});

test("a copy does not change the ring and does not share its memory", () => {
  const ring = ringOf(ROOMY, bare(1, 2));
  const before = readStats(ring);

  const copy = copyOldest(ring, 2);
  ring.arena.fill(0xee);

  expect(copy.request.toHex()).toBe(bare(1, 2).toHex());
  expect(readStats(ring)).toEqual(before);
});

test("a copy of more spans than are buffered contains all of them", () => {
  const ring = ringOf(ROOMY, bare(1), bare(2));

  expect(copyOldest(ring, Number.POSITIVE_INFINITY).request.toHex()).toBe(
    joined(bare(1), bare(2)).toHex(),
  );
});

test.each([0, 1, 1_000])("a copy of %i spans of an empty ring has no bytes", (spanCount) => {
  const ring = createRingMemory(ROOMY);

  expect(copyOldest(ring, spanCount).request).toHaveLength(0);
});

test("spans are in order even if their slots wrap around the end of the index", () => {
  const ring = ringOf({ spans: 3, bytes: 10_000 }, bare(1, 2));
  takeOldest(ring, 1);
  put(ring, bare(3, 4));

  expect(takeOldest(ring, 2).request.toHex()).toBe(joined(bare(2), bare(3)).toHex());
  expect(takeOldest(ring, 1).request.toHex()).toBe(bare(4).toHex());
});

// Offsets are unsigned; a signed one would be negative in the second half of the largest arena.
test("a request stored beyond 2 GiB is handed over whole and in parts", () => {
  const far = 2 ** 31 + 12_345;
  const ring = ringOf({ spans: 10, bytes: 2 ** 31 + 2 ** 20 }, bare(1, 2, 3));
  ring.arena.copyWithin(far, 0, bare(1, 2, 3).length);
  for (const column of ["blockOffset", "slotOffset", "resourceOffset", "scopeOffset"] as const) {
    ring[column].forEach((offset, row) => (ring[column][row] = offset + far));
  }

  put(ring, bare(4));

  expect(copyOldest(ring, 4).request.toHex()).toBe(joined(bare(1, 2, 3), bare(4)).toHex());
  expect(takeOldest(ring, 1).request.toHex()).toBe(bare(1).toHex());
  expect(takeOldest(ring, 3).request.toHex()).toBe(joined(bare(2, 3), bare(4)).toHex());
});

describe("spans by their sequences", () => {
  const requests = [bare(1, 2, 3), requestOf(2, 4), bare(6, 7)];

  test.each([
    { name: "none", sequences: [], parts: [] },
    { name: "a whole request", sequences: [4, 5], parts: [requestOf(2, 4)] },
    { name: "all, as received", sequences: [1, 2, 3, 4, 5, 6, 7], parts: requests },
    { name: "some of a request, together", sequences: [1, 3], parts: [bare(1, 3)] },
    {
      name: "over several requests",
      sequences: [3, 4, 5, 6],
      parts: [bare(3), requestOf(2, 4), bare(6)],
    },
    {
      name: "backwards, each by itself",
      sequences: [7, 6, 2],
      parts: [bare(7), bare(6), bare(2)],
    },
    { name: "forwards after backwards", sequences: [7, 1, 2], parts: [bare(7), bare(1, 2)] },
  ])("are copied in the order given: $name", ({ sequences, parts }) => {
    const ring = ringOf(ROOMY, ...requests);

    const copied = copySpans(ring, sequences);

    expect(copied.request.toHex()).toBe(joined(...parts).toHex());
    expect(copied.sequences).toEqual(sequences);
  });

  test("are left out if they are gone", () => {
    const ring = ringOf(ROOMY, ...requests);
    takeOldest(ring, 2);

    const copied = copySpans(ring, [5, 2, 3, 1]);

    expect(copied.sequences).toEqual([5, 3]);
    expect(copied.request.length).toBe(requestOf(1, 5).length + bare(3).length);
  });
});
