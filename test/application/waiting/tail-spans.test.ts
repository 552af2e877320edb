import { expect, test } from "bun:test";
import { type TailPiece, tailSpans } from "../../../src/application/waiting/tail-spans.ts";
import { countedArrivals, countedSignal } from "../../support/fakes/counted-listeners.ts";
import {
  attribute,
  request as encoded,
  requestOf,
  resourceSpans,
  span,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import { named, NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const FROM_THE_FIRST = { filter: [], after: 0, cancelled: NEVER };

async function pieceOf(tail: AsyncGenerator<TailPiece, void>): Promise<TailPiece> {
  const { value } = await tail.next();
  if (value === undefined) throw new Error("the tail has ended");
  return value;
}

test("a tail returns buffered spans after the sequence first, then new ones", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(requestOf(3));
  const tail = tailSpans(parts, { ...FROM_THE_FIRST, after: 1 });

  const buffered = await pieceOf(tail);
  const later = pieceOf(tail);
  await nextTurn();
  arrive(requestOf(2, 50));

  expect(buffered).toMatchObject({ sequences: [2, 3], missedSpans: 0 });
  expect(await later).toMatchObject({ sequences: [4, 5], missedSpans: 0 });
});

test("a tail returns only matching spans, with their bytes", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(requestOf(5));

  const { sequences, request } = await pieceOf(
    tailSpans(parts, { ...FROM_THE_FIRST, filter: named("span 4") }),
  );

  expect(sequences).toEqual([4]);
  expect(Buffer.from(request).toString("latin1")).toContain("span 4");
  expect(Buffer.from(request).toString("latin1")).not.toContain("span 3");
});

test("pieces are small and contiguous", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(requestOf(200));
  const tail = tailSpans(parts, FROM_THE_FIRST);

  const pieces = [
    await pieceOf(tail),
    await pieceOf(tail),
    await pieceOf(tail),
    await pieceOf(tail),
  ];

  expect(pieces.map(({ sequences }) => sequences.length)).toEqual([16, 64, 64, 56]);
  expect(pieces.flatMap(({ sequences }) => sequences)).toEqual(
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
});

const KIB = 1024;

test.each([
  { bytes: 20 * KIB, sizes: [16, 12, 12, 8] },
  { bytes: 300 * KIB, sizes: [16, 1, 1, 1] },
])("pieces of spans of $bytes bytes have $sizes of them", async ({ bytes, sizes }) => {
  const { arrive, ...parts } = searchedRing({ spans: 100, bytes: 20 * KIB * KIB });
  const padding = bytesField(9, attribute("padding", "x".repeat(bytes)));
  const large = Array.from({ length: 48 }, (_, at) => span(1 + at, padding));
  for (const one of large) arrive(encoded(resourceSpans("shop", one)));
  const tail = tailSpans(parts, FROM_THE_FIRST);

  const pieces = [];
  while (pieces.length < sizes.length) pieces.push(await pieceOf(tail));

  expect(pieces.map(({ sequences }) => sequences.length)).toEqual([...sizes]);
});

test("after spans that cannot be copied, the next one is copied alone", async () => {
  const { arrive, buffer, arrivals } = searchedRing({ spans: 100, bytes: 1 << 16 });
  arrive(requestOf(20));
  const copied: number[] = [];
  const copy = (sequences: readonly number[]) => {
    copied.push(sequences.length);
    return buffer.copy(copied.length === 1 ? [] : sequences);
  };
  const refusing = Object.assign(Object.create(buffer) as typeof buffer, { copy });
  const tail = tailSpans({ buffer: refusing, arrivals }, FROM_THE_FIRST);

  await pieceOf(tail);
  const { sequences } = await pieceOf(tail);

  expect({ copied, sequences }).toEqual({ copied: [16, 1], sequences: [17] });
});

test("a reader that is too slow learns how many spans it missed", async () => {
  const { arrive, ...parts } = searchedRing({ spans: 4, bytes: 1 << 16 });
  arrive(requestOf(2));
  const tail = tailSpans(parts, FROM_THE_FIRST);
  const first = await pieceOf(tail);

  arrive(requestOf(3), requestOf(4));

  expect(first).toMatchObject({ sequences: [1, 2], missedSpans: 0 });
  expect(await pieceOf(tail)).toMatchObject({ sequences: [6, 7, 8, 9], missedSpans: 3 });
});

test("a slow reader learns how many spans it missed even if no others match", async () => {
  const { arrive, ...parts } = searchedRing({ spans: 4, bytes: 1 << 16 });
  arrive(requestOf(9));

  const piece = await pieceOf(tailSpans(parts, { ...FROM_THE_FIRST, filter: named("no") }));

  expect(piece).toMatchObject({ sequences: [], missedSpans: 5 });
});

test("a tail waits for a future sequence", async () => {
  const { arrive, ...parts } = searchedRing();
  const tail = tailSpans(parts, { ...FROM_THE_FIRST, after: 2 });

  const piece = pieceOf(tail);
  await nextTurn();
  arrive(requestOf(1));
  await nextTurn();
  arrive(requestOf(3));

  expect(await piece).toMatchObject({ sequences: [3, 4], missedSpans: 0 });
});

test("a tail that is cancelled while it waits ends and removes its listener", async () => {
  const canceller = new AbortController();
  const tail = tailSpans(searchedRing(), { ...FROM_THE_FIRST, cancelled: canceller.signal });

  const end = tail.next();
  await nextTurn();
  canceller.abort();

  expect(await end).toEqual({ done: true, value: undefined });
});

test("a tail that is cancelled while it scans does not wait for new spans", async () => {
  const canceller = new AbortController();
  const { buffer, arrivals } = searchedRing();
  const cancelling = {
    copy: buffer.copy.bind(buffer),
    range: buffer.range.bind(buffer),
    visit: () => canceller.abort(),
  };
  const request = { ...FROM_THE_FIRST, cancelled: canceller.signal };

  const end = await tailSpans({ buffer: cancelling, arrivals }, request).next();

  expect(end).toEqual({ done: true, value: undefined });
});

test("a tail leaves no listener, however often it has waited", async () => {
  const { arrive, buffer, arrivals } = searchedRing();
  const [counted, { signal, listening }] = [countedArrivals(arrivals), countedSignal()];
  const tail = tailSpans(
    { buffer, arrivals: counted },
    { ...FROM_THE_FIRST, cancelled: signal, filter: named("span 9") },
  );

  const piece = pieceOf(tail);
  for (let number = 1; number <= 9; number += 1) {
    await nextTurn();
    arrive(requestOf(1, number));
  }

  expect(await piece).toMatchObject({ sequences: [9] });
  expect([counted.waiting(), listening()]).toEqual([0, 0]);
});

test("a tail that is cancelled before it begins ends at once", async () => {
  const parts = searchedRing();
  parts.arrive(requestOf(1));

  const tail = tailSpans(parts, { ...FROM_THE_FIRST, cancelled: AbortSignal.abort() });

  expect(await tail.next()).toEqual({ done: true, value: undefined });
});

test("a reader that begins before the ring learns how many spans are gone", async () => {
  const { arrive, ...parts } = searchedRing({ spans: 4, bytes: 1 << 16 });
  arrive(requestOf(9));

  const piece = await pieceOf(tailSpans(parts, { ...FROM_THE_FIRST, after: 2 }));

  expect(piece).toMatchObject({ sequences: [6, 7, 8, 9], missedSpans: 3 });
});

test("a tail that is cancelled between two pieces yields no more", async () => {
  const canceller = new AbortController();
  const { arrive, ...parts } = searchedRing();
  arrive(requestOf(200));
  const tail = tailSpans(parts, { ...FROM_THE_FIRST, cancelled: canceller.signal });
  await pieceOf(tail);

  canceller.abort();

  expect(await tail.next()).toEqual({ done: true, value: undefined });
});

test("a tail does not scan before its sequence has arrived", async () => {
  const { arrive, buffer, arrivals } = searchedRing();
  let ranges = 0;
  const counted = {
    copy: buffer.copy.bind(buffer),
    visit: buffer.visit.bind(buffer),
    range: () => {
      ranges += 1;
      return buffer.range();
    },
  };
  const tail = tailSpans({ buffer: counted, arrivals }, { ...FROM_THE_FIRST, after: 50 });

  const piece = pieceOf(tail);
  for (let turn = 0; turn < 20; turn += 1) {
    arrive(requestOf(2));
    await nextTurn();
  }
  const early = ranges;
  arrive(requestOf(20));

  expect(early).toBe(1);
  expect(await piece).toMatchObject({ sequences: [51, 52, 53, 54, 55, 56, 57, 58, 59, 60] });
});
