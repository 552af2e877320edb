/** Searches for inputs that the program handles incorrectly: `bun run fuzz --help`. */
import { endWithOwnProcesses } from "../bench/own-processes.ts";
import { type FuzzRequest, HELP, readFuzzArguments } from "./fuzz-arguments.ts";
import { fuzzPayloads } from "./payload-fuzz.ts";
import { fuzzStreams } from "./stream-fuzz.ts";
import { Watchdog } from "./watchdog.ts";

async function main(argv: readonly string[]): Promise<number> {
  const request = readFuzzArguments(argv, Date.now() % 1_000_000_000);
  if (request.command === "unusable") {
    process.stderr.write(`fuzz: ${request.complaint}\nSee bun run fuzz --help.\n`);
    return 2;
  }
  if (request.command === "run") return await run(request);
  process.stdout.write(HELP);
  return 0;
}

async function run({
  seed,
  payloads,
  streams,
}: Extract<FuzzRequest, { command: "run" }>): Promise<number> {
  process.stdout.write(`seed ${seed}\n`);
  const findings = [...(await runPayloads(seed, payloads)), ...(await runStreams(seed, streams))];
  process.stdout.write(findings.map((finding) => `${finding}\n`).join(""));
  return findings.length === 0 ? 0 : 1;
}

async function runPayloads(seed: number, payloads: number): Promise<readonly string[]> {
  if (payloads === 0) return [];
  using watchdog = new Watchdog(seed);
  const startMs = performance.now();
  const progress = (at: number): void => watchdog.progress(at);
  const { counts, longestCpuMs, findings } = await fuzzPayloads({ seed, payloads, progress });
  const seconds = (performance.now() - startMs) / 1000;
  const time = `${seconds.toFixed(0)} s, the longest ${longestCpuMs.toFixed(0)} ms`;
  process.stdout.write(`${JSON.stringify(counts)} in ${time}\n`);
  return findings;
}

async function runStreams(seed: number, streams: number): Promise<readonly string[]> {
  if (streams === 0) return [];
  const startMs = performance.now();
  const { sent, longestCpuMs, peakMib, findings } = await fuzzStreams({ seed, streams });
  const seconds = (performance.now() - startMs) / 1000;
  const figures = `longest block ${longestCpuMs.toFixed(0)} ms, peak ${peakMib.toFixed(0)} MiB`;
  process.stdout.write(`${sent} streams in ${seconds.toFixed(0)} s, ${figures}\n`);
  return findings;
}

if (import.meta.main) {
  endWithOwnProcesses();
  process.exit(await main(process.argv.slice(2)));
}
