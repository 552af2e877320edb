import { expect, test } from "bun:test";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { payloadTarget } from "./fuzz-target.ts";
import { fuzzPayloads, TARGETS } from "./payload-fuzz.ts";

/** A target that says what it is made to say. */
function strange(check: () => string | undefined) {
  return payloadTarget({ name: "strange", share: 100, build: () => 7, check, show: String });
}

// Goal: no reader of foreign input throws, hangs, or contradicts its oracle.
// Method: random payloads for all of them; the seed is fixed, `bun run fuzz` takes others.
test("random payloads find nothing, and every target has its share of them", async () => {
  const payloads = fuzzRuns(2_000);

  const { counts, findings } = await fuzzPayloads({ seed: 1, payloads });

  expect(findings).toEqual([]);
  expect(Object.keys(counts).toSorted()).toEqual(TARGETS.map(({ name }) => name).toSorted());
  expect(TARGETS.reduce((sum, { share }) => sum + share, 0)).toBe(100);
});

test.each(TARGETS)("$name: a seed repeats its payload, another seed has another", ({ draw }) => {
  const shown = (seed: number) => draw(new SeededRandom(seed)).show();

  expect(shown(3)).toBe(shown(3));
  expect(new Set([3, 4, 5, 6].map(shown)).size).toBeGreaterThan(1);
});

test("a wrong answer is found, with its seed and its payload", async () => {
  const targets = [strange(() => "it is wrong")];

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 2, targets });

  expect(findings).toEqual([
    "seed 5, strange: it is wrong\n  7",
    "seed 6, strange: it is wrong\n  7",
  ]);
});

test("what a target throws is found", async () => {
  const throws = strange(() => {
    throw new Error("broken");
  });

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 1, targets: [throws] });

  expect(findings).toEqual([expect.stringContaining("throws Error: broken")]);
});

test("more than a second of processor time is found", async () => {
  const slow = strange(() => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user + process.cpuUsage(start).system < 1_100_000);
    return undefined;
  });

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 1, targets: [slow] });

  expect(findings).toEqual([expect.stringMatching(/takes 1\d{3} ms/)]);
});
