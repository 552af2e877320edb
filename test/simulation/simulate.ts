/**
 * Simulates power cuts: `bun run simulate [--cuts N] [--seed S]`.
 *
 * A run is one log, from an empty disk through `LIVES` lives. Its seed is in every message; `--seed
 * S --cuts 1` repeats it.
 */
import { LogSimulation } from "./log-simulation.ts";
import type { Tally } from "./simulated-world.ts";
import { readSuiteArguments, type SuiteRequest } from "../support/running/suite-arguments.ts";

const LIVES = 50;

export interface SimulationResult {
  readonly tally: Tally;
  readonly runs: number;
  /** The message of the first run that failed. */
  readonly failure: string | undefined;
}

/** Runs until this many power cuts, or until a run has failed. */
export async function simulate(
  { cuts, seed }: { readonly cuts: number; readonly seed: number },
  progress: (tally: Tally) => void = () => {},
): Promise<SimulationResult> {
  const tally = newTally();
  let runs = 0;
  for (; tally.cuts < cuts; runs += 1) {
    const failure = await runOnce(seed + runs, tally);
    if (failure !== undefined) return { tally, runs, failure };
    progress(tally);
  }
  return { tally, runs, failure: undefined };
}

function newTally(): Tally {
  const deaths = { cuts: 0, kills: 0, stops: 0 };
  return {
    ...deaths,
    acknowledged: 0,
    memoryOnly: 0,
    failed: 0,
    refused: 0,
    evicted: 0,
    flips: 0,
    lost: 0,
  };
}

async function runOnce(seed: number, tally: Tally): Promise<string | undefined> {
  const simulation = new LogSimulation(seed, tally);
  for (let life = 1; life <= LIVES; life += 1) {
    try {
      await simulation.live();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const trace = error instanceof Error ? error.stack : "";
      return `seed ${seed}, life ${life}, ${simulation.where}: ${reason}\n${trace}`;
    }
  }
  return undefined;
}

/** Parses the arguments. `seed` is used if the command line has none. */
function readSimulateArguments(
  argv: readonly string[],
  seed: number,
): SuiteRequest<never, "cuts" | "seed"> {
  const counts = {
    cuts: { unset: 1_000, from: 1, to: MAX_NUMBER },
    seed: { unset: seed, from: 0, to: MAX_NUMBER },
  };
  return readSuiteArguments(argv, { switches: [], counts, takesNames: false });
}

const MAX_NUMBER = 1_000_000_000;

const HELP = `bun run simulate [--cuts N] [--seed S]

Simulates N power cuts (default 1000) on a log; run number K has seed S + K.
`;

async function main(): Promise<void> {
  const request = readSimulateArguments(process.argv.slice(2), Date.now() % 1_000_000_000);
  if (request.command !== "run") {
    const isHelp = request.command !== "unusable";
    process.stdout.write(isHelp ? HELP : `simulate: ${request.complaint}\n${HELP}`);
    process.exitCode = isHelp ? 0 : 2;
    return;
  }
  const { cuts, seed } = request.counts;
  const startMs = performance.now();
  let nextReport = 10_000;
  const { tally, runs, failure } = await simulate({ cuts, seed }, (soFar) => {
    if (soFar.cuts < nextReport) return;
    nextReport += 10_000;
    process.stdout.write(`${soFar.cuts} cuts\n`);
  });
  const seconds = (performance.now() - startMs) / 1000;
  const rate = (tally.cuts / seconds).toFixed(0);
  const seeds = `seeds ${seed} to ${seed + runs - 1}`;
  process.stdout.write(`${seeds}: ${rate} cuts/s ${JSON.stringify(tally)}\n`);
  if (failure === undefined) return;
  process.stdout.write(`FAILED after ${tally.cuts} cuts: ${failure}\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main();
