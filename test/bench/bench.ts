/** Runs the benchmarks: `bun run bench --help`. Nothing in the product imports from this folder. */
import { type BenchRequest, HELP, readBenchArguments } from "./bench-arguments.ts";
import type { BenchCase } from "./bench-case.ts";
import { benchReport } from "./bench-report.ts";
import { type CaseResult, runCase } from "./case-result.ts";
import { append } from "./cases/append.ts";
import { cost } from "./cases/cost.ts";
import { durable } from "./cases/durable.ts";
import { forward } from "./cases/forward.ts";
import { ingest } from "./cases/ingest.ts";
import { ingestHttp } from "./cases/ingest-http.ts";
import { ingestTls } from "./cases/ingest-tls.ts";
import { json } from "./cases/json.ts";
import { latency } from "./cases/latency.ts";
import { memory } from "./cases/memory.ts";
import { page } from "./cases/page.ts";
import { query } from "./cases/query.ts";
import { run } from "./cases/run.ts";
import { start } from "./cases/start.ts";
import { wait } from "./cases/wait.ts";
import { walk } from "./cases/walk.ts";
import { endWithOwnProcesses } from "./own-processes.ts";
import { tableText } from "./figure-table.ts";

/** The cases, quick ones first. */
const CASES: readonly BenchCase[] = [
  walk,
  json,
  append,
  latency,
  start,
  run,
  query,
  page,
  wait,
  durable,
  cost,
  ingest,
  ingestHttp,
  ingestTls,
  forward,
  memory,
];

async function bench(argv: readonly string[]): Promise<number> {
  const request = readBenchArguments(
    argv,
    CASES.map(({ name }) => name),
  );
  if (request.command === "unusable") {
    process.stderr.write(`bench: ${request.complaint}\nSee bun run bench --help.\n`);
    return 2;
  }
  if (request.command === "run") return await runCases(request);
  process.stdout.write(request.command === "help" ? HELP : listText());
  return 0;
}

async function runCases(request: Extract<BenchRequest, { command: "run" }>): Promise<number> {
  const { rounds, isShort } = request;
  const results: CaseResult[] = [];
  for (const name of request.names) {
    const benchCase = CASES.find((one) => one.name === name)!;
    // One at a time, because two cases at once would disturb each other.
    results.push(await runCase(benchCase, { rounds, isShort, progress }));
  }
  const report = benchReport(results, request);
  process.stdout.write(
    request.asJson ? `${JSON.stringify(report, null, 2)}\n` : tableText(results),
  );
  return results.some(({ failure }) => failure !== null) ? 1 : 0;
}

function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function listText(): string {
  const width = Math.max(...CASES.map(({ name }) => name.length));
  return CASES.map(({ name, shows }) => `${name.padEnd(width)}  ${shows}\n`).join("");
}

if (import.meta.main) {
  endWithOwnProcesses();
  process.exit(await bench(process.argv.slice(2)));
}
