import { join } from "node:path";
import { ownProcess } from "../bench/own-processes.ts";
import type { AttackOrder } from "./attacker.ts";

/** The number of responses to the attacker, by kind. */
export type Received = Readonly<Record<string, number>>;

export interface AttackerProcess extends AsyncDisposable {
  /** Resolves when the attack is over. */
  readonly received: Promise<Received>;
  /** Ends the attack early. */
  stop(): void;
}

/** Starts an attack in its own process, which does not outlive this one. */
export function startAttacker(name: string, order: AttackOrder): AttackerProcess {
  const program = join(import.meta.dir, "attacker.ts");
  const child = Bun.spawn([process.execPath, program, name, JSON.stringify(order)], {
    env: {},
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  ownProcess(child);
  return {
    received: reportOf(child.stdout, child.exited),
    stop: () => child.kill("SIGTERM"),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function reportOf(
  stdout: ReadableStream<Uint8Array>,
  exited: Promise<number>,
): Promise<Received> {
  const [text, exitCode] = await Promise.all([stdout.text(), exited]);
  if (exitCode !== 0) return { [`the attacker ended with ${exitCode}`]: 1 };
  return JSON.parse(text) as Received;
}
