import { join } from "node:path";
import { expect, test } from "bun:test";
import { PROBLEM_KINDS, type ProblemProtocol } from "../../src/domain/problem-reason.ts";
import { type Mistake, MISTAKES } from "../support/processes/send-mistake.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";

// Goal: nothing that is refused or discarded is invisible, wherever one looks. Method: the program
// gets each mistake once; then its log, its metrics, its list of problems and `spanring stats` are
// read. A second time it is sent below `spanring run`, whose summary is read.

const SENDER = join(import.meta.dir, "../support/processes/send-mistake.ts");
const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };

interface Case {
  readonly mistake: Mistake;
  readonly port: ProblemProtocol;
  readonly reason: keyof typeof PROBLEM_KINDS;
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
  { mistake: "OTLP on the port of the read API", port: "api", reason: "otlp_on_api" },
  { mistake: "only unknown keys", port: "http", reason: "unknown_fields" },
  { mistake: "metrics", port: "http", reason: "unsupported_metrics" },
  { mistake: "logs", port: "http", reason: "unsupported_logs" },
];

test("every mistake is tried", () => {
  expect(CASES.map(({ mistake }) => mistake)).toEqual(Object.keys(MISTAKES) as Mistake[]);
});

const urlOf = (program: RunningProgram, port: ProblemProtocol): string =>
  ({ grpc: program.grpcUrl, http: program.httpUrl, api: program.apiUrl })[port];

test.each(CASES)("$mistake: in log, metrics, list and stats", async ({ mistake, port, reason }) => {
  await using program = await startProgram();

  await MISTAKES[mistake](urlOf(program, port));
  const { problems } = (await (await fetch(`${program.apiUrl}/api/problems`)).json()) as {
    problems: object[];
  };
  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const stats = await runProgram(["stats", "--url", program.apiUrl], ENV);
  await program.stop();
  const logged = program.log().find(({ event }) => event === "problem");

  const problem = { protocol: port, reason, address: "127.0.0.1", count: 1 };
  expect(problems).toMatchObject([{ ...problem, hint: logged?.["hint"] }]);
  expect(logged).toMatchObject({ level: "WARNING", ...problem });
  expect(String(logged?.["hint"] ?? "")).not.toBe("");
  expect(metrics).toContain(`\nspanring_problems_total{protocol="${port}",reason="${reason}"} 1\n`);
  expect(JSON.parse(stats.stdout)).toMatchObject({ problems });
});

const RUN_PROTOCOL = { grpc: "grpc", http: "http/protobuf", api: "grpc" } as const;

/** A run is about spans: metrics and logs, which SDKs send beside them, are not worth a word. */
const ABOUT_SPANS = CASES.filter(({ reason }) => PROBLEM_KINDS[reason].mayLoseSpans);

test.each(ABOUT_SPANS)("$mistake: in the summary of a run", async ({ mistake, port, reason }) => {
  const url = port === "api" ? "SPANRING_URL" : "OTEL_EXPORTER_OTLP_ENDPOINT";
  const options = ["--protocol", RUN_PROTOCOL[port], "--expect", "name=any", "--settle", "1ms"];
  const command = [process.execPath, SENDER, mistake, url];

  const run = await runProgram(["run", ...options, "--", ...command], ENV);

  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain(`1 request was ${PROBLEM_KINDS[reason].fate}`);
});
