import { describe, expect, test } from "bun:test";
import { copyOldest, copySpans, takeOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import { createRingMemory } from "../../../src/application/ring/ring-memory.ts";
import { joined, put, ringOf } from "../../support/running/filled-ring.ts";
import { handBuiltRequests, unknownFields } from "../../support/requests/hand-built-requests.ts";
import { request, requestOf, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

const roomy = { spans: 1_000, bytes: 1 << 20 };

/** One scope, with nothing in it but these spans. */
function bare(...numbers: number[]): Uint8Array<ArrayBuffer> {
  return request(bytesField(1, bytesField(2, ...numbers.map((number) => span(number)))));
}

test.each(Object.entries(handBuiltRequests).filter(([name]) => !name.includes("that are not")))(
  "%s: untouched, it leaves as exactly the bytes that came in",
  (_, bytes) => {
    const ring = ringOf(roomy, bytes);

    expect(takeOldest(ring, readStats(ring).spans.buffered).request.toHex()).toBe(bytes.toHex());
  },
);

test("several complete requests leave one after the other, unchanged", () => {
  const requests = [bare(1), handBuiltRequests["unknown fields at every level"]!, bare(2, 3)];
  const ring = ringOf(roomy, ...requests);

  expect(takeOldest(ring, 5).request.toHex()).toBe(joined(...requests).toHex());
});

test("a partly evicted request keeps the rest and the messages around it", () => {
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

test("a hand-over may begin and end within a request, and whole ones lie between", () => {
  const ring = ringOf(roomy, bare(1, 2, 3), requestOf(2, 4), bare(6, 7, 8));
  takeOldest(ring, 1);

  expect(takeOldest(ring, 5).request.toHex()).toBe(
    joined(bare(2, 3), requestOf(2, 4), bare(6)).toHex(),
  );
  expect(takeOldest(ring, 2).request.toHex()).toBe(bare(7, 8).toHex());
});

test("a hand-over may start and end within one request", () => {
  const ring = ringOf(roomy, bare(1, 2, 3, 4));
  takeOldest(ring, 1);

  expect(takeOldest(ring, 2).request.toHex()).toBe(bare(2, 3).toHex());
});

const scope = (name: string, ...spans: number[][]) =>
  bytesField(2, bytesField(1, bytesField(1, name)), ...spans);

test("spans that are left in several scopes come with the scope they came in", () => {
  const whole = request(
    bytesField(1, scope("a", span(1), span(2)), scope("b", span(3))),
    bytesField(1, bytesField(3, "schema"), scope("c", span(4), span(5))),
  );
  const ring = ringOf(roomy, whole);
  takeOldest(ring, 1);

  const part = request(
    bytesField(1, scope("a", span(2)), scope("b", span(3))),
    bytesField(1, bytesField(3, "schema"), scope("c", span(4))),
  );
  expect(takeOldest(ring, 3).request.toHex()).toBe(part.toHex());
});

test("a copy leaves everything as it is, and is not part of the ring", () => {
  const ring = ringOf(roomy, bare(1, 2));
  const before = readStats(ring);

  const copy = copyOldest(ring, 2);
  ring.arena.fill(0xee);

  expect(copy.request.toHex()).toBe(bare(1, 2).toHex());
  expect(readStats(ring)).toEqual(before);
});

test("more spans than there are means all there are", () => {
  const ring = ringOf(roomy, bare(1), bare(2));

  expect(copyOldest(ring, Number.POSITIVE_INFINITY).request.toHex()).toBe(
    joined(bare(1), bare(2)).toHex(),
  );
});

test.each([0, 1, 1_000])("of an empty ring, %i spans are no bytes", (spanCount) => {
  const ring = createRingMemory(roomy);

  expect(copyOldest(ring, spanCount).request).toHaveLength(0);
});

test("spans whose slots went round the end of the index come in order", () => {
  const ring = ringOf({ spans: 3, bytes: 10_000 }, bare(1, 2));
  takeOldest(ring, 1);
  put(ring, bare(3, 4));

  expect(takeOldest(ring, 2).request.toHex()).toBe(joined(bare(2), bare(3)).toHex());
  expect(takeOldest(ring, 1).request.toHex()).toBe(bare(4).toHex());
});

// Offsets are unsigned: a sign would show from the middle of the largest arena on.
test("a request that lies beyond 2 GiB is handed over like any other, whole and in part", () => {
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
    { name: "all, as they came in", sequences: [1, 2, 3, 4, 5, 6, 7], parts: requests },
    { name: "some of a request, in one", sequences: [1, 3], parts: [bare(1, 3)] },
    {
      name: "over several requests",
      sequences: [3, 4, 5, 6],
      parts: [bare(3), requestOf(2, 4), bare(6)],
    },
    {
      name: "backwards, each for itself",
      sequences: [7, 6, 2],
      parts: [bare(7), bare(6), bare(2)],
    },
    { name: "forwards behind backwards", sequences: [7, 1, 2], parts: [bare(7), bare(1, 2)] },
  ])("are copied in the order given: $name", ({ sequences, parts }) => {
    const ring = ringOf(roomy, ...requests);

    const copied = copySpans(ring, sequences);

    expect(copied.request.toHex()).toBe(joined(...parts).toHex());
    expect(copied.sequences).toEqual(sequences);
  });

  test("that are gone are left out", () => {
    const ring = ringOf(roomy, ...requests);
    takeOldest(ring, 2);

    const copied = copySpans(ring, [5, 2, 3, 1]);

    expect(copied.sequences).toEqual([5, 3]);
    expect(copied.request.length).toBe(requestOf(1, 5).length + bare(3).length);
  });
});
