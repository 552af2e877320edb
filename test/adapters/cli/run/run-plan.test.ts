import { expect, test } from "bun:test";
import { readRunPlan } from "../../../../src/adapters/cli/run/run-plan.ts";
import type { CommandRun } from "../../../../src/adapters/cli/command/command-run.ts";
import { SYSTEM_CLOCK } from "../../../../src/adapters/clock/system-clock.ts";
import type { Environment } from "../../../../src/config/config.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";

function planFor(env: Environment, options: CommandRun["options"] = []) {
  const [stdout, stderr] = [writtenText(false), writtenText(false)];
  const run: CommandRun = {
    command: "run",
    operands: ["true"],
    options,
    env,
    stdout,
    stderr,
    stdin: () => (async function* () {})(),
    clock: SYSTEM_CLOCK,
    interruption: () => new AbortController().signal,
    startReceiver: () => Promise.reject(new Error("nothing starts here")),
  };
  return { plan: readRunPlan(run), stderr: stderr.text() };
}

test.each([
  { text: undefined, level: "ERROR" },
  { text: "", level: "ERROR" },
  { text: "warn", level: "WARNING" },
  { text: "debug", level: "DEBUG" },
  { text: "silent", level: "ERROR" },
  { text: "5", level: "ERROR" },
  { text: "app=debug,db=info", level: "ERROR" },
] as const)("LOG_LEVEL=$text of the command gives the receiver $level", ({ text, level }) => {
  const { plan, stderr } = planFor({ LOG_LEVEL: text });

  expect(plan.config.logLevel).toBe(level);
  expect(stderr).toBe("");
});

test.each([
  { env: { MAX_CONNECTIONS: "unlimited" }, limits: { connections: 1000 } },
  { env: { IDLE_TIMEOUT_MS: "0" }, limits: { idleMs: 300_000 } },
])("$env may be the command's: it is ignored with a warning", ({ env, limits }) => {
  const { plan, stderr } = planFor({ LOG_LEVEL: "silent", ...env });

  const [[name, value] = []] = Object.entries(env);
  expect(plan.config.limits).toMatchObject(limits);
  expect(stderr).toStartWith(`spanring: warning: ignored ${name}="${value}": `);
  expect(stderr.split("\n")).toHaveLength(2);
});

test("a Service of Kubernetes does not keep it from running", () => {
  const { plan } = planFor({ API_PORT: "tcp://10.96.0.7:80" });

  expect(plan.config.api).toEqual({ host: "127.0.0.1", port: 0 });
});

test("JUnit on standard output, which is that of the command, is refused", () => {
  const options = [
    { name: "junit", value: "-" },
    { name: "expect", value: "nme=x" },
  ] as const;

  expect(() => planFor({}, options)).toThrow(
    /unknown condition "nme"[^]*--junit "-" is not a file/,
  );
});

test("what only spanring can mean must be right", () => {
  expect(() => planFor({ MAX_BUFFER_SIZE: "lots", LOG_LEVEL: "silent" })).toThrow(
    'MAX_BUFFER_SIZE="lots": must be a whole number of spans',
  );
});
