import { expect, test } from "bun:test";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { simulate } from "../../simulation/simulate.ts";

// Goal: whatever is going on when the power goes, no acknowledged span is lost, none comes back
// that was never sent, and the accounting balances.
// Method: a log on a disk that forgets, against a model that only knows what was sent and answered;
// `bun run simulate --cuts N` runs on and on, and every message has its seed.
test("a log keeps all that it has acknowledged, whatever cut, kill or stop comes", async () => {
  const { tally, failure } = await simulate({ cuts: fuzzRuns(300), seed: 20_261_128 });

  expect(failure).toBeUndefined();
  const met = [tally.kills, tally.stops, tally.failed, tally.refused, tally.evicted, tally.flips];
  expect(Math.min(...met)).toBeGreaterThan(0);
  expect(tally.acknowledged).toBeGreaterThan(1_000);
});
