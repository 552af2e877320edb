/**
 * The process that measures blocks of the event loop: `bun block-probe.ts PID API-PORT`. It prints
 * the longest one when its standard input ends.
 */
import { join } from "node:path";
import { ownProcess } from "../bench/own-processes.ts";
import { threadTimes, type ThreadTimes } from "./measure.ts";
import { HttpClient } from "./wire/http-client.ts";
import { HEALTH } from "./wire/http1-talk.ts";

const PROBE_PAUSE_MS = 5;

export interface BlockProbe extends AsyncDisposable {
  /** Resolves to the longest block so far, in milliseconds of processor time. */
  stop(): Promise<number>;
}

/**
 * Measures how long the event loop of a process keeps a request waiting, as the processor time of
 * its thread between a request for `/healthz` and the response: an upper bound of one turn.
 *
 * The probe is a process of its own, and what it has waited for a processor is subtracted. While a
 * probe waits, a busy receiver goes on to its next turns: on two cores with a load of seven, a
 * probe within the process of the clients reported 230 ms where the longest turn had 16.
 */
export function startBlockProbe(pid: number, apiPort: number): BlockProbe {
  const program = join(import.meta.dir, "block-probe.ts");
  const child = Bun.spawn([process.execPath, program, String(pid), String(apiPort)], {
    env: {},
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  ownProcess(child);
  const longest = child.stdout.text();
  return {
    stop: async () => {
      await child.stdin.end();
      return Number(await longest);
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) child.kill("SIGKILL");
      await child.exited;
    },
  };
}

interface Sample {
  readonly probed: ThreadTimes;
  readonly own: ThreadTimes;
}

/** Returns the processor time of the probed thread while the probe was not waiting for its own. */
export function blockBetween(before: Sample, after: Sample): number {
  const waitedMs = after.own.waitedMs - before.own.waitedMs;
  return after.probed.cpuMs - before.probed.cpuMs - waitedMs;
}

/** A request without a response counts too, because the loop may be blocked until the end. */
async function probe(pid: number, apiPort: number): Promise<void> {
  const client = new HttpClient(apiPort);
  const sample = (): Sample => ({ probed: threadTimes(pid), own: threadTimes(process.pid) });
  const ended = new AbortController();
  ended.signal.addEventListener("abort", () => client.close());
  process.stdin.once("end", () => ended.abort()).resume();
  let longestMs = 0;
  for (; !ended.signal.aborted; await Bun.sleep(PROBE_PAUSE_MS)) {
    const before = sample();
    await client.request(HEALTH).catch(() => {});
    const blockMs = blockBetween(before, sample());
    if (blockMs > longestMs) longestMs = blockMs;
  }
  process.stdout.write(String(longestMs));
}

if (import.meta.main) {
  const [pid = "", apiPort = ""] = process.argv.slice(2);
  await probe(Number(pid), Number(apiPort));
  process.exit();
}
