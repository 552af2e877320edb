/**
 * The process of the attackers: `bun attacker.ts NAME ORDER`, with the order as JSON.
 *
 * It prints its responses as JSON and ends at the end of the attack, on SIGTERM, or when its parent
 * is gone.
 */
import { type Field, type Ports, Tally } from "./attack-case.ts";
import { attackNamed } from "./catalogue.ts";

export interface AttackOrder {
  readonly ports: Ports;
  readonly seconds: number;
  readonly isShort: boolean;
}

/** The time after which an attack that does not end is ended. */
const OVERTIME_MS = 5_000;

async function attack(name: string, { ports, seconds, isShort }: AttackOrder): Promise<void> {
  const tally = new Tally();
  const end = Promise.withResolvers<void>();
  let isOver = false;
  const finish = (): void => {
    isOver = true;
    end.resolve();
    setTimeout(() => report(tally), OVERTIME_MS).unref();
  };
  process.once("SIGTERM", finish);
  process.stdin.once("end", () => process.exit(1)).resume();
  setTimeout(finish, seconds * 1000);
  const size = (full: number, short: number): number => (isShort ? short : full);
  const field: Field = { ports, tally, over: end.promise, isOver: () => isOver, size };
  await attackNamed(name).run(field);
  report(tally);
}

function report({ counts }: Tally): never {
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  process.exit(0);
}

if (import.meta.main) {
  const [name = "", order = ""] = process.argv.slice(2);
  await attack(name, JSON.parse(order) as AttackOrder);
}
