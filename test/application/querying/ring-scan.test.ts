import { expect, test } from "bun:test";
import {
  type Scan,
  scanRing,
  ScanScheduler,
  turn,
} from "../../../src/application/querying/ring-scan.ts";
import type { SequenceRange } from "../../../src/ports/trace-buffer.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const PIECE = 2048;

/** Returns a ring with this range, which advances after each scanned piece. */
function ringAt(range: SequenceRange, movesBy = 0) {
  let { first, next } = range;
  const pieces: SequenceRange[] = [];
  const scan = async (
    how: Partial<Scan>,
    lastOf?: (piece: SequenceRange) => number | undefined,
  ) => {
    const options = { matcher: { traceTail: undefined }, after: 0, newestFirst: false, ...how };
    return await scanRing({ range: () => ({ first, next }) }, options, (piece) => {
      pieces.push({ first: piece.first, next: piece.next });
      first += movesBy;
      next += movesBy;
      return lastOf?.(piece);
    });
  };
  return { scan, pieces };
}

test("an empty ring is not scanned", async () => {
  const { scan, pieces } = ringAt({ first: 5, next: 5 });

  expect(await scan({})).toEqual({ first: 5, next: 5 });
  expect(pieces).toEqual([]);
});

test("a large ring is scanned in pieces, oldest first", async () => {
  const { scan, pieces } = ringAt({ first: 10, next: 10 + 2 * PIECE + 1 });

  expect(await scan({})).toEqual({ first: 10, next: 10 + 2 * PIECE + 1 });
  expect(pieces).toEqual([
    { first: 10, next: 10 + PIECE },
    { first: 10 + PIECE, next: 10 + 2 * PIECE },
    { first: 10 + 2 * PIECE, next: 10 + 2 * PIECE + 1 },
  ]);
});

test("a large ring is scanned in pieces, newest first", async () => {
  const { scan, pieces } = ringAt({ first: 10, next: 11 + PIECE });

  await scan({ newestFirst: true });

  expect(pieces).toEqual([
    { first: 11, next: 11 + PIECE },
    { first: 10, next: 11 },
  ]);
});

test("a filter that requires a trace is scanned in larger pieces", async () => {
  const { scan, pieces } = ringAt({ first: 1, next: 150_000 });

  await scan({ matcher: { traceTail: 7 } });

  expect(pieces).toEqual([{ first: 1, next: 150_000 }]);
});

test("pieces of marked traces are as large as wanted, up to a limit", async () => {
  const { scan, pieces } = ringAt({ first: 1, next: 100_000 });
  const tailMarks = new Uint8Array(2 ** 16);
  const wanted = [2_048, 4_096, 1_000_000, 10];

  await scan({
    matcher: { traceTail: undefined, tailMarks },
    spansPerPiece: () => wanted.shift() ?? 1_000_000,
  });

  const sizes = pieces.map(({ first, next }) => next - first);
  expect(sizes).toEqual([2_048, 4_096, 32_768, 10, 32_768, 28_309]);
});

test("pieces that are searched for a text are small at first, and as large as a MiB", async () => {
  const bytesOfPieces = [0, 100, 100, 4 * 2 ** 20, 0, 0];
  const { scan, pieces } = ringAt({ first: 1, next: 200 });

  await scan({ matcher: { traceTail: undefined, searchedBytes: () => bytesOfPieces.shift()! } });

  const sizes = pieces.map(({ first, next }) => next - first);
  expect(sizes).toEqual([16, 32, 64, 16, 32, 39]);
});

test("a piece that is searched for a text has at least one span", async () => {
  const { scan, pieces } = ringAt({ first: 1, next: 20 });

  await scan({ matcher: { traceTail: undefined, searchedBytes: () => 2 ** 30 } });

  expect(pieces.map(({ first, next }) => next - first)).toEqual([16, 1, 1, 1]);
});

test.each([
  { name: "within the ring", after: 7, range: { first: 8, next: 20 } },
  { name: "before its first", after: 2, range: { first: 5, next: 20 } },
  { name: "at its last", after: 19, range: { first: 20, next: 20 } },
  { name: "beyond its last", after: 99, range: { first: 100, next: 100 } },
])("the scanned range begins after a sequence $name", async ({ after, range }) => {
  const { scan } = ringAt({ first: 5, next: 20 });

  expect(await scan({ after })).toEqual(range);
});

test("the scan ends when it has enough, and so does its range", async () => {
  const oldest = await ringAt({ first: 1, next: 9_000 }).scan({}, () => 17);
  const newest = await ringAt({ first: 1, next: 9_000 }).scan({ newestFirst: true }, () => 8_900);

  expect(oldest).toEqual({ first: 1, next: 18 });
  expect(newest).toEqual({ first: 8_900, next: 9_000 });
});

test("spans that were evicted before their turn are outside the scanned range", async () => {
  const end = 1 + 2 * PIECE;

  const inPart = await ringAt({ first: 1, next: end }, PIECE + 100).scan({});
  const whole = await ringAt({ first: 1, next: end }, 10 * PIECE).scan({});
  const newestFirst = await ringAt({ first: 1, next: end }, 50).scan({ newestFirst: true });

  expect(inPart).toEqual({ first: 1 + PIECE + 100, next: end });
  expect(whole).toEqual({ first: end, next: end });
  expect(newestFirst).toEqual({ first: 51, next: end });
});

test("newest first, spans that are evicted after they were scanned stay in the range", async () => {
  const end = 1 + 3 * PIECE;

  const seen = await ringAt({ first: 1, next: end }, 2 * PIECE + 50).scan({ newestFirst: true });

  expect(seen).toEqual({ first: 1 + 2 * PIECE, next: end });
});

test("spans that are evicted after their turn are in the scanned range", async () => {
  const { scan } = ringAt({ first: 1, next: 1 + 2 * PIECE }, PIECE);

  expect(await scan({})).toEqual({ first: 1, next: 1 + 2 * PIECE });
});

test("other work has a turn between two pieces", async () => {
  const order: string[] = [];
  const { scan } = ringAt({ first: 1, next: 1 + 2 * PIECE });
  setImmediate(() => order.push("something else"));

  await scan({}, ({ first }) => {
    order.push(`piece from ${first}`);
    return undefined;
  });

  expect(order).toEqual(["piece from 1", "something else", `piece from ${1 + PIECE}`]);
});

test("a turn is a turn of the event loop", async () => {
  let hasPassed = false;
  setImmediate(() => (hasPassed = true));

  await turn();

  expect(hasPassed).toBe(true);
});

test("a single scan has its turn immediately, once in each round of the event loop", async () => {
  const turns = new ScanScheduler();

  const first = turns.next();
  await nextTurn();
  const second = turns.next();

  expect([first, second]).toEqual([undefined, undefined]);
});

test("each round has one turn, in the order of requests", async () => {
  const turns = new ScanScheduler();
  const had: string[] = [];
  const ask = (name: string) => void turns.next()?.then(() => had.push(name));

  for (const name of ["a", "b", "c"]) ask(name);
  const rounds = [[...had]];
  for (let round = 0; round < 3; round += 1) {
    await nextTurn();
    rounds.push([...had]);
  }

  expect(rounds).toEqual([[], ["b"], ["b", "c"], ["b", "c"]]);
});

test("after an awaited turn, the next one is in a later round", async () => {
  const turns = new ScanScheduler();

  turns.next();
  await turns.next();

  expect(turns.next()).toBeInstanceOf(Promise);
});
