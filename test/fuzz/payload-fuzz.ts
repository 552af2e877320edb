import { SeededRandom } from "../support/disk/seeded-random.ts";
import type { DrawnPayload, PayloadTarget } from "./fuzz-target.ts";
import { API_PARAMETERS } from "./targets/api-parameters.ts";
import { CONFIGURATIONS } from "./targets/configurations.ts";
import { FILES } from "./targets/files.ts";
import { JSON_REQUESTS } from "./targets/json-requests.ts";
import { PROTOBUF_REQUESTS } from "./targets/protobuf-requests.ts";

/** The targets; their shares add up to 100. */
export const TARGETS: readonly PayloadTarget[] = [
  PROTOBUF_REQUESTS,
  JSON_REQUESTS,
  API_PARAMETERS,
  CONFIGURATIONS,
  FILES,
];

export interface PayloadRun {
  readonly seed: number;
  readonly payloads: number;
  /** Called before each payload. */
  readonly progress?: (at: number) => void;
  readonly targets?: readonly PayloadTarget[];
}

export interface PayloadOutcome {
  /** The number of payloads of each target. */
  readonly counts: Readonly<Record<string, number>>;
  readonly longestCpuMs: number;
  /** Descriptions of the first few payloads that revealed an error. */
  readonly findings: readonly string[];
}

/** The maximum processor time of a payload. */
const MAX_CPU_MS = 1_000;
const MAX_FINDINGS = 10;
/** The number of payloads between two turns of the event loop. */
const PAYLOADS_PER_TURN = 1_000;

/** Tests the targets. `--seed S+N --payloads 1` repeats payload number N of the seed S. */
export async function fuzzPayloads({
  seed,
  payloads,
  progress,
  targets = TARGETS,
}: PayloadRun): Promise<PayloadOutcome> {
  const counts: Record<string, number> = {};
  const findings: string[] = [];
  let longestCpuMs = 0;
  for (let at = 0; at < payloads && findings.length < MAX_FINDINGS; at += 1) {
    progress?.(at);
    // Most checks never wait, so signals would not be handled otherwise.
    if (at % PAYLOADS_PER_TURN === 0) await Bun.sleep(0);
    const random = new SeededRandom(seed + at);
    const target = targetFor(targets, random.between(1, 100));
    counts[target.name] = (counts[target.name] ?? 0) + 1;
    const payload = target.draw(random);
    const start = process.cpuUsage();
    const verdict = await verdictOn(payload);
    const { user, system } = process.cpuUsage(start);
    const cpuMs = (user + system) / 1000;
    longestCpuMs = Math.max(longestCpuMs, cpuMs);
    const fault = verdict ?? (cpuMs > MAX_CPU_MS ? `takes ${cpuMs.toFixed(0)} ms` : undefined);
    if (fault === undefined) continue;
    findings.push(`seed ${seed + at}, ${target.name}: ${fault}\n  ${payload.show()}`);
  }
  return { counts, longestCpuMs, findings };
}

function targetFor(targets: readonly PayloadTarget[], percentage: number): PayloadTarget {
  let upTo = 0;
  for (const target of targets) {
    upTo += target.share;
    if (percentage <= upTo) return target;
  }
  throw new Error("the shares of the targets do not add up to 100");
}

/** Returns an exception of the target as a verdict. */
async function verdictOn(payload: DrawnPayload): Promise<string | undefined> {
  try {
    return await payload.check();
  } catch (error) {
    return `throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}
