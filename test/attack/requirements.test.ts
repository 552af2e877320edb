import { expect, test } from "bun:test";
import type { LaneFigures, LaneName } from "./lanes.ts";
import { BOUND_ABOVE_IDLE_BYTES, brokenFacts, missedTimes, type Outcome } from "./requirements.ts";

const lane = (name: LaneName, figures: Partial<LaneFigures> = {}) => ({
  lane: name,
  sent: 100,
  lost: 0,
  unanswered: 0,
  p99Ms: 249,
  maxMs: 1_000,
  reasons: {},
  ...figures,
});

const GOOD: Outcome = {
  idleBytes: 1_000,
  peakBytes: 1_000 + BOUND_ABOVE_IDLE_BYTES,
  lanes: [lane("grpc-kept"), lane("grpc-new"), lane("api")],
  longestBlockMs: 50,
  stopMs: 5_500,
  isAlive: true,
  isBalanced: true,
};

test("an outcome exactly at the limits violates none", () => {
  expect(brokenFacts(GOOD)).toEqual([]);
  expect(missedTimes(GOOD)).toEqual([]);
});

test.each<{ change: Partial<Outcome>; broken: string }>([
  { change: { isAlive: false }, broken: "ended" },
  { change: { isBalanced: false }, broken: "unbalanced" },
  { change: { peakBytes: 1_001 + BOUND_ABOVE_IDLE_BYTES }, broken: "memory" },
  {
    change: { lanes: [lane("grpc-kept", { lost: 1 }), lane("api", { lost: 1 })] },
    broken: "refused grpc-kept+api",
  },
])("the violated fact $broken is reported", ({ change, broken }) => {
  expect(brokenFacts({ ...GOOD, ...change })).toEqual([broken]);
});

test.each<{ change: Partial<Outcome>; missed: string }>([
  {
    change: { lanes: [lane("grpc-kept", { lost: 2, unanswered: 2 })] },
    missed: "unanswered grpc-kept",
  },
  { change: { lanes: [lane("http-kept", { p99Ms: 250 })] }, missed: "p99 http-kept" },
  { change: { lanes: [lane("http-new", { maxMs: 1_001 })] }, missed: "late http-new" },
  { change: { lanes: [lane("grpc-new", { lost: 1 })] }, missed: "late grpc-new" },
  { change: { longestBlockMs: 50.1 }, missed: "block" },
  { change: { stopMs: 5_501 }, missed: "shutdown" },
])("the missed time $missed is reported", ({ change, missed }) => {
  expect(missedTimes({ ...GOOD, ...change })).toEqual([missed]);
});
