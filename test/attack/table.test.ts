import { expect, test } from "bun:test";
import type { Row } from "./run-attack.ts";
import { attackTable, verdictOf } from "./table.ts";

const MIB = 1024 * 1024;

const lanes = (["grpc-kept", "grpc-new", "http-kept", "http-new", "api"] as const).map((lane) => ({
  lane,
  sent: 100,
  lost: 0,
  unanswered: 0,
  p99Ms: 12.4,
  maxMs: 20,
  reasons: {},
}));

const GOOD: Row = {
  name: "good",
  expected: "holds",
  outcome: {
    idleBytes: 60 * MIB,
    peakBytes: 75 * MIB,
    lanes,
    longestBlockMs: 4.2,
    stopMs: null,
    isAlive: true,
    isBalanced: true,
  },
  received: {},
};

const BAD: Row = {
  name: "much worse",
  expected: "known to fail",
  outcome: { ...GOOD.outcome, peakBytes: 400 * MIB, longestBlockMs: 700, stopMs: 6_000 },
  received: { 503: 7, closed: 2 },
};

test("a row has the figures, the violations, and the responses to the attacker", () => {
  const [head, good, bad, ...more] = attackTable([GOOD, BAD]).split("\n");

  expect(head).toMatch(/^attack +MiB above idle +bound +grpc-kept: p99 ms, lost /);
  expect(good).toMatch(/^good +15 +228 +(12, 0\/100 +){5}4 +holds +none +none +nothing$/);
  expect(bad).toMatch(
    /^much worse +340 +228 .* 700 +6000 +known to fail +memory +block, shutdown /,
  );
  expect(bad).toEndWith("  503: 7, closed: 2");
  expect(more).toEqual([""]);
});

test("the verdict lists the violations, facts first", () => {
  expect(verdictOf(GOOD)).toBe("holds");
  expect(verdictOf(BAD)).toBe("memory, block, shutdown");
});
