import { expect, test } from "bun:test";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { simulate } from "../../simulation/simulate.ts";

// Goal: whenever the power fails, no acknowledged span is lost, no span appears that was never
// sent, and the accounting balances.
// Method: a log on a disk that loses unsynced data, compared with a model that knows only requests
// and their answers; `bun run simulate --cuts N` runs longer, and every message has its seed.
test("a log loses no acknowledged span in a power cut, a kill or a stop", async () => {
  const { tally, failure } = await simulate({ cuts: fuzzRuns(300), seed: 20_261_128 });

  expect(failure).toBeUndefined();
  const { kills, stops, failed, refused, evicted, flips, memoryOnly } = tally;
  expect(Math.min(kills, stops, failed, refused, evicted, flips, memoryOnly)).toBeGreaterThan(0);
  expect(tally.acknowledged).toBeGreaterThan(1_000);
});

// A failure left an empty segment, whose eviction evicted the spilled spans of the next one.
test("an empty segment costs no spans of the segment after it", async () => {
  const { failure } = await simulate({ cuts: 1, seed: 1_725 });

  expect(failure).toBeUndefined();
});

// A span that left memory during a read was passed over, and a newer one leased before it.
test("a log leases spans in order although others leave memory meanwhile", async () => {
  const { failure } = await simulate({ cuts: 1, seed: 5_000_011 });

  expect(failure).toBeUndefined();
});
