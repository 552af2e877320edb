import { expect, test } from "bun:test";
import {
  addRange,
  countSequences,
  gapsIn,
  hasRange,
  removeRange,
  type SequenceRanges,
} from "../../../src/application/log/sequence-ranges.ts";
import { SeededRandom } from "../../support/disk/seeded-random.ts";

const END = 40;

/** Returns the ranges of a set of numbers. */
function rangesOf(numbers: ReadonlySet<number>): SequenceRanges {
  const ranges: SequenceRanges = [];
  for (let first = 0; first < END; first += 1) {
    if (!numbers.has(first)) continue;
    let end = first;
    while (numbers.has(end)) end += 1;
    ranges.push({ first, end });
    first = end;
  }
  return ranges;
}

function inside({ first, end }: { first: number; end: number }): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

// Goal: ranges contain the numbers that a plain set contains after the same calls.
// Method: random additions and removals, mirrored on a `Set`; the seed is in every message.
test("ranges agree with a set of numbers for any sequence of calls", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new SeededRandom(seed);
    const numbers = new Set<number>();
    const ranges: SequenceRanges = [];
    for (let step = 0; step < 40; step += 1) {
      const first = random.between(0, END - 1);
      const range = { first, end: random.between(first, END) };
      const sequences = inside(range);
      const areIn = sequences.every((each) => numbers.has(each));
      const areOut = sequences.every((each) => !numbers.has(each));
      if (areOut) addRange(ranges, range);
      if (areOut) for (const each of sequences) numbers.add(each);
      if (areIn && !areOut) removeRange(ranges, range);
      if (areIn && !areOut) for (const each of sequences) numbers.delete(each);

      const gaps = new Set(sequences.filter((each) => !numbers.has(each)));
      expect({ seed, ranges }).toEqual({ seed, ranges: rangesOf(numbers) });
      expect({ seed, gaps: gapsIn(range, ranges) }).toEqual({ seed, gaps: rangesOf(gaps) });
      expect(countSequences(ranges)).toBe(numbers.size);
      expect(hasRange(ranges, { first, end: first + 1 })).toBe(numbers.has(first));
    }
  }
});

test("gaps are the sequences that are in none of several sets", () => {
  const one = [{ first: 2, end: 4 }];
  const other = [{ first: 3, end: 6 }];

  expect(gapsIn({ first: 0, end: 8 }, one, other)).toEqual([
    { first: 0, end: 2 },
    { first: 6, end: 8 },
  ]);
});

test("adding a present range or removing an absent one fails", () => {
  const ranges = [{ first: 2, end: 4 }];

  expect(() => addRange(ranges, { first: 3, end: 5 })).toThrow(
    "added sequences are not in the set",
  );
  expect(() => removeRange(ranges, { first: 3, end: 5 })).toThrow(
    "removed sequences are in the set",
  );
});
