import { expect, test } from "bun:test";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { payloadTarget } from "./fuzz-target.ts";
import { fuzzPayloads, TARGETS } from "./payload-fuzz.ts";

/** Returns a target with this check. */
function targetWith(check: () => string | undefined) {
  return payloadTarget({ name: "fake", share: 100, build: () => 7, check, show: String });
}

// Goal: no reader of foreign input throws, hangs or disagrees with its oracle.
// Method: random payloads for all readers; the seed is fixed here, and `bun run fuzz` uses others.
test("random payloads find no error, and every target gets its share", async () => {
  const payloads = fuzzRuns(2_000);

  const { counts, findings } = await fuzzPayloads({ seed: 1, payloads });

  expect(findings).toEqual([]);
  expect(Object.keys(counts).toSorted()).toEqual(TARGETS.map(({ name }) => name).toSorted());
  expect(TARGETS.reduce((sum, { share }) => sum + share, 0)).toBe(100);
});

test.each(TARGETS)(
  "a seed repeats its payload for $name, and different seeds give different payloads",
  ({ draw }) => {
    const shown = (seed: number) => draw(new SeededRandom(seed)).show();

    expect(shown(3)).toBe(shown(3));
    expect(new Set([3, 4, 5, 6].map(shown)).size).toBeGreaterThan(1);
  },
);

test("a wrong answer is reported with its seed and payload", async () => {
  const targets = [targetWith(() => "it is wrong")];

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 2, targets });

  expect(findings).toEqual(["seed 5, fake: it is wrong\n  7", "seed 6, fake: it is wrong\n  7"]);
});

test("an exception of a target is reported", async () => {
  const throws = targetWith(() => {
    throw new Error("broken");
  });

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 1, targets: [throws] });

  expect(findings).toEqual([expect.stringContaining("throws Error: broken")]);
});

test("more than a second of processor time is reported", async () => {
  const slow = targetWith(() => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user + process.cpuUsage(start).system < 1_100_000);
    return undefined;
  });

  const { findings } = await fuzzPayloads({ seed: 5, payloads: 1, targets: [slow] });

  expect(findings).toEqual([expect.stringMatching(/takes 1\d{3} ms/)]);
});
