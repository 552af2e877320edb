import { join } from "node:path";
import { expect, test } from "bun:test";
import type { RecentProblem } from "../../src/application/receiving/problem-registry.ts";
import { PROBLEM_KINDS, type ProblemProtocol } from "../../src/domain/problem-reason.ts";
import { type Mistake, MISTAKES } from "../support/processes/send-mistake.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";

// Goal: everything that is refused or discarded is reported everywhere. Method: the program
// receives each mistake once; then its log, its metrics, its list of problems and `spanring stats`
// are read. Each mistake is also sent below `spanring run`, whose summary is read.

const SENDER = join(import.meta.dir, "../support/processes/send-mistake.ts");
const HALF_REQUESTS = join(import.meta.dir, "../support/processes/exhaust-descriptors.ts");
const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };

interface Case {
  readonly mistake: Mistake;
  readonly port: ProblemProtocol;
  readonly reason: keyof typeof PROBLEM_KINDS;
  /** The problem that the mistake causes at another port as well. */
  readonly other?: Pick<RecentProblem, "protocol" | "reason">;
}

const CASES: readonly Case[] = [
  { mistake: "JSON that is not OTLP", port: "http", reason: "not_otlp_json" },
  { mistake: "broken gzip over HTTP", port: "http", reason: "broken_compression" },
  { mistake: "broken gzip over gRPC", port: "grpc", reason: "broken_compression" },
  { mistake: "an unknown content type", port: "http", reason: "unsupported_type" },
  { mistake: "an unknown path", port: "http", reason: "unknown_path" },
  { mistake: "too large a request over HTTP", port: "http", reason: "too_large" },
  { mistake: "too large a request over gRPC", port: "grpc", reason: "too_large" },
  { mistake: "HTTP/1.1 on the gRPC port", port: "grpc", reason: "http_on_grpc" },
  { mistake: "gRPC on the HTTP port", port: "http", reason: "grpc_on_http" },
  {
    mistake: "swapped ports",
    port: "http",
    reason: "grpc_on_http",
    other: { protocol: "grpc", reason: "http_on_grpc" },
  },
  { mistake: "OTLP on the port of the read API", port: "api", reason: "otlp_on_api" },
  { mistake: "only unknown keys", port: "http", reason: "unknown_fields" },
  { mistake: "metrics", port: "http", reason: "unsupported_metrics" },
  { mistake: "logs", port: "http", reason: "unsupported_logs" },
];

test("every mistake has a case", () => {
  expect(CASES.map(({ mistake }) => mistake)).toEqual(Object.keys(MISTAKES) as Mistake[]);
});

const urlOf = (program: RunningProgram, port: ProblemProtocol): string =>
  ({ grpc: program.grpcUrl, http: program.httpUrl, api: program.apiUrl })[port];

/** Returns what the list should contain, newest first. */
function problemsOf({ port, reason, other }: Case): Partial<RecentProblem>[] {
  const expected = [{ protocol: port, reason }, ...(other === undefined ? [] : [other])];
  return expected.map((each) => ({ ...each, address: "127.0.0.1", count: 1 })).toReversed();
}

test.each(CASES)("log, metrics, list and stats report $mistake", async (each) => {
  await using program = await startProgram();

  await MISTAKES[each.mistake](urlOf(program, each.port));
  const { problems } = await problemList(program);
  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const stats = await runProgram(["stats", "--url", program.apiUrl], ENV);
  await program.stop();
  const logged = program.log().filter(({ event }) => event === "problem");

  const expected = problemsOf(each);
  expect(problems).toMatchObject(expected);
  expect(logged.toReversed()).toMatchObject(expected.map((one) => ({ level: "WARNING", ...one })));
  expect(logged.at(-1)?.["hint"]).toBe(problems[0]?.hint);
  expect(problems[0]?.hint).not.toBe("");
  for (const { protocol, reason } of expected) {
    const labels = `{protocol="${protocol}",reason="${reason}"}`;
    expect(metrics).toContain(`\nspanring_problems_total${labels} 1\n`);
  }
  expect(JSON.parse(stats.stdout)).toMatchObject({ problems });
});

async function problemList({ apiUrl }: RunningProgram): Promise<{ problems: RecentProblem[] }> {
  return (await (await fetch(`${apiUrl}/api/problems`)).json()) as { problems: RecentProblem[] };
}

const RUN_PROTOCOL = { grpc: "grpc", http: "http/protobuf", api: "grpc" } as const;

/** Mistakes that may lose spans; a run does not report the metrics and logs of SDKs. */
const ABOUT_SPANS = CASES.filter(({ reason }) => PROBLEM_KINDS[reason].mayLoseSpans);

/** Runs a command that sends to the URL in the variable of one port. */
async function runSender(sender: readonly string[], port: ProblemProtocol, limits = {}) {
  const url = port === "api" ? "SPANRING_URL" : "OTEL_EXPORTER_OTLP_ENDPOINT";
  const options = ["--protocol", RUN_PROTOCOL[port], "--expect", "name=any", "--settle", "1ms"];
  const command = [process.execPath, ...sender, url];
  return await runProgram(["run", ...options, "--", ...command], ENV, limits);
}

test.each(ABOUT_SPANS)("the summary of a run reports $mistake", async (each) => {
  const run = await runSender([SENDER, each.mistake], each.port);

  expect(run.exitCode).toBe(1);
  for (const { reason } of problemsOf(each)) {
    expect(run.stderr).toContain(`1 request was ${PROBLEM_KINDS[reason!].fate}`);
  }
});

test("the summary of a run reports that the ports are swapped", async () => {
  const run = await runSender([SENDER, "swapped ports"], "http");

  expect(run.stderr).toMatch(
    /; (\d+) and (\d+) are swapped: OTLP\/gRPC goes to \1, OTLP\/HTTP to \2/,
  );
});

test("the summary of a run reports a shortage of file descriptors", async () => {
  const run = await runSender([HALF_REQUESTS], "http", { maxOpenFiles: 64 });

  expect(run.exitCode).toBe(1);
  const { fate, hint } = PROBLEM_KINDS.out_of_descriptors;
  expect(run.stderr.match(/ shortages? w.*/g)).toEqual([
    expect.stringContaining(`${fate}; ${hint}`),
  ]);
});
