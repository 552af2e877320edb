import { expect, test } from "bun:test";
import { ATTACKS } from "./catalogue.ts";
import { brokenFacts } from "./requirements.ts";
import { runAttack } from "./run-attack.ts";
import { verdictOf } from "./table.ts";

// Goal: bounds that hold under attack keep holding.
// Method: run each attack of the table in its short form. Only facts that do not depend on a busy
// machine are asserted; `bun run attack --all` prints the figures. If an attack is known to break
// them, the receiver still survives, and its accounting balances.

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
