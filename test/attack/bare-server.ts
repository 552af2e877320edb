/**
 * Attacks a receiver that does as little as the runtime allows (`bare-receiver.ts`), and prints the
 * table that `bun run attack` prints of spanring: what no receiver on this runtime can go below.
 * `bun test/attack/bare-server.ts [--seconds N] NAME...`
 */
import { join } from "node:path";
import { endWithOwnProcesses, ownProcess } from "../bench/own-processes.ts";
import { HELP, readAttackArguments } from "./attack-arguments.ts";
import type { Attack, Ports } from "./attack-case.ts";
import { startAttacker } from "./attacker-process.ts";
import { startBlockProbe } from "./block-probe.ts";
import { attackNamed, ATTACKS } from "./catalogue.ts";
import { Lanes } from "./lanes.ts";
import { MemoryWatch, residentBytesOf } from "./measure.ts";
import type { Row } from "./run-attack.ts";
import { attackTable } from "./table.ts";

const LOST_AFTER_MS = 2_000;

async function startBareReceiver() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "bare-receiver.ts")], {
    env: {},
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  ownProcess(child);
  const { value } = await child.stdout.getReader().read();
  const ports = JSON.parse(new TextDecoder().decode(value)) as Ports;
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { pid: child.pid, ports, [Symbol.asyncDispose]: kill };
}

async function attackBareReceiver({ name, expected }: Attack, seconds: number): Promise<Row> {
  await using receiver = await startBareReceiver();
  const { pid, ports } = receiver;
  const idleBytes = residentBytesOf(pid) ?? 0;
  const opened = await Lanes.open(ports, LOST_AFTER_MS);
  const memory = new MemoryWatch(pid);
  await using probe = startBlockProbe(pid, ports.api);
  opened.start();
  await using attacker = startAttacker(name, { ports, seconds, isShort: false });
  const received = await attacker.received;
  const lanes = await opened.finish();
  const longestBlockMs = await probe.stop();
  const measured = { idleBytes, peakBytes: memory.stop(), lanes, longestBlockMs };
  // It keeps nothing that could be out of balance.
  const outcome = { ...measured, stopMs: null, isAlive: true, isBalanced: true };
  return { name, expected, outcome, received };
}

async function main(argv: readonly string[]): Promise<number> {
  const names = ATTACKS.map(({ name }) => name);
  const request = readAttackArguments(argv, names);
  if (request.command !== "run") {
    process.stderr.write(request.command === "unusable" ? `${request.complaint}\n` : HELP);
    return 2;
  }
  const rows: Row[] = [];
  for (const name of request.names) {
    rows.push(await attackBareReceiver(attackNamed(name), request.seconds));
  }
  process.stdout.write(attackTable(rows));
  return 0;
}

if (import.meta.main) {
  endWithOwnProcesses();
  process.exit(await main(process.argv.slice(2)));
}
