/** Attacks the program: `bun run attack --help`. */
import { endWithOwnProcesses } from "../bench/own-processes.ts";
import { type AttackRequest, HELP, readAttackArguments } from "./attack-arguments.ts";
import { attackNamed, ATTACKS } from "./catalogue.ts";
import { type Row, runAttack } from "./run-attack.ts";
import { attackTable, verdictOf } from "./table.ts";

/** The time limit of a well-behaved client. */
const LOST_AFTER_MS = 2_000;

async function main(argv: readonly string[]): Promise<number> {
  const names = ATTACKS.map(({ name }) => name);
  const request = readAttackArguments(argv, names);
  if (request.command === "unusable") {
    process.stderr.write(`attack: ${request.complaint}\nSee bun run attack --help.\n`);
    return 2;
  }
  if (request.command === "run") return await runAll(request);
  process.stdout.write(request.command === "help" ? HELP : listText());
  return 0;
}

async function runAll(request: Extract<AttackRequest, { command: "run" }>): Promise<number> {
  const rows: Row[] = [];
  const run = { seconds: request.seconds, isShort: false, lostAfterMs: LOST_AFTER_MS };
  for (const name of request.names) {
    const row = await runAttack(attackNamed(name), run);
    rows.push(row);
    process.stderr.write(`attack: ${name}: ${verdictOf(row)}\n`);
  }
  const results = rows.map((row) => ({ ...row, verdict: verdictOf(row) }));
  const text = request.asJson ? `${JSON.stringify(results, null, 2)}\n` : attackTable(rows);
  process.stdout.write(text);
  return results.every(({ verdict }) => verdict === "holds") ? 0 : 1;
}

function listText(): string {
  const width = Math.max(...ATTACKS.map(({ name }) => name.length));
  return ATTACKS.map(({ name, does }) => `${name.padEnd(width)}  ${does}\n`).join("");
}

if (import.meta.main) {
  endWithOwnProcesses();
  process.exit(await main(process.argv.slice(2)));
}
