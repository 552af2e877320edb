import { expect, test } from "bun:test";
import { timeAlternately } from "./alternate-timing.ts";

/** Returns contenders whose runs advance a fake clock by `runNs`. */
function fakeRace() {
  const turns: string[] = [];
  let now = 0;
  const contender = (name: string, { spanCount, runNs }: { spanCount: number; runNs: number }) => ({
    spanCount,
    run: () => {
      now += runNs;
      if (turns.at(-1) !== name) turns.push(name);
    },
  });
  return { turns, contender, nowNs: () => now };
}

test("each contender gets one sample per round, which is the time per span", () => {
  const { contender, nowNs } = fakeRace();
  const quick = contender("quick", { spanCount: 10, runNs: 1_000 });
  const slow = contender("slow", { spanCount: 1, runNs: 1_000_000 });

  const samples = timeAlternately([quick, slow], { rounds: 3, roundMs: 20, nowNs });

  expect(samples).toEqual([
    [100, 100, 100],
    [1_000_000, 1_000_000, 1_000_000],
  ]);
});

test("contenders take turns within a round", () => {
  const { contender, turns, nowNs } = fakeRace();
  const one = contender("one", { spanCount: 1, runNs: 100_000 });
  const other = contender("other", { spanCount: 1, runNs: 100_000 });

  timeAlternately([one, other], { rounds: 3, roundMs: 20, nowNs });

  // Each contender warms up once; then there are three rounds of two slices each.
  const pairs = 1 + 3 * 2;
  expect(turns).toEqual(Array.from({ length: pairs }, () => ["one", "other"]).flat());
});

test("a round has at least one slice", () => {
  const { contender, nowNs } = fakeRace();
  const one = contender("one", { spanCount: 1, runNs: 50 });

  expect(timeAlternately([one], { rounds: 1, roundMs: 0, nowNs })).toEqual([[50]]);
});
