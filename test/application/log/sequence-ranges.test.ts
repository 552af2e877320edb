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

const MOST = 40;

/** The ranges that a set of numbers is. */
function rangesOf(numbers: ReadonlySet<number>): SequenceRanges {
  const ranges: SequenceRanges = [];
  for (let first = 0; first < MOST; first += 1) {
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

// Goal: ranges are the set that the same calls make of plain numbers.
// Method: random additions and removals, mirrored on a `Set`; the seed is in every message.
test("agree with a set of numbers for any sequence of calls", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new SeededRandom(seed);
    const numbers = new Set<number>();
    const ranges: SequenceRanges = [];
    for (let step = 0; step < 40; step += 1) {
      const first = random.between(0, MOST - 1);
      const range = { first, end: random.between(first, MOST) };
      const sequences = inside(range);
      const isIn = sequences.every((each) => numbers.has(each));
      const isOut = sequences.every((each) => !numbers.has(each));
      if (isOut) addRange(ranges, range);
      if (isOut) for (const each of sequences) numbers.add(each);
      if (isIn && !isOut) removeRange(ranges, range);
      if (isIn && !isOut) for (const each of sequences) numbers.delete(each);

      const gaps = new Set(sequences.filter((each) => !numbers.has(each)));
      expect({ seed, ranges }).toEqual({ seed, ranges: rangesOf(numbers) });
      expect({ seed, gaps: gapsIn(range, ranges) }).toEqual({ seed, gaps: rangesOf(gaps) });
      expect(countSequences(ranges)).toBe(numbers.size);
      expect(hasRange(ranges, { first, end: first + 1 })).toBe(numbers.has(first));
    }
  }
});

test("gaps are in none of several sets", () => {
  const one = [{ first: 2, end: 4 }];
  const other = [{ first: 3, end: 6 }];

  expect(gapsIn({ first: 0, end: 8 }, one, other)).toEqual([
    { first: 0, end: 2 },
    { first: 6, end: 8 },
  ]);
});

test("what is in the set is not added again, and what is not there is not removed", () => {
  const ranges = [{ first: 2, end: 4 }];

  expect(() => addRange(ranges, { first: 3, end: 5 })).toThrow("what is added is not in the set");
  expect(() => removeRange(ranges, { first: 3, end: 5 })).toThrow("what is removed is in the set");
});
