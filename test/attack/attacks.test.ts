import { expect, test } from "bun:test";
import { ATTACKS } from "./catalogue.ts";
import { brokenFacts } from "./requirements.ts";
import { runAttack } from "./run-attack.ts";
import { verdictOf } from "./table.ts";

// Goal: bounds that hold under attack go on to hold.
// Method: each attack of the table in its short form. Only facts are asserted that a busy machine
// cannot change; `bun run attack --all` prints the figures. Where an attack is known to break them,
// the receiver lives on all the same, and its accounting balances.

const SHORT = { seconds: 1, isShort: true };

const named = (expected: "holds" | "known to fail") =>
  ATTACKS.filter((attack) => attack.expected === expected);

test.each(named("holds"))("$name: $does", async (attack) => {
  const row = await runAttack(attack, { ...SHORT, lostAfterMs: 60_000 });

  expect(brokenFacts(row.outcome)).toEqual([]);
  expect(row.outcome.lanes.filter(({ unanswered }) => unanswered > 0)).toEqual([]);
});

test.each(named("known to fail"))("$name leaves it alive: $does", async (attack) => {
  const row = await runAttack(attack, { ...SHORT, lostAfterMs: 1_000 });

  process.stderr.write(`${attack.name}: ${verdictOf(row)}\n`);
  expect(row.outcome).toMatchObject({ isAlive: true, isBalanced: true });
});
