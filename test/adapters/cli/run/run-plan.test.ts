import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { noteInterrupts } from "../../../../src/adapters/cli/output/foreground.ts";
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
    interruptedCode: () => undefined,
    signals: noteInterrupts(new EventEmitter()),
    startReceiver: () => Promise.reject(new Error("nothing starts here")),
    inspectDirectory: () => Promise.reject(new Error("nothing is inspected here")),
    openTopic: () => Promise.reject(new Error("no topic is read here")),
    openSink: () => Promise.reject(new Error("nothing is sent here")),
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
] as const)("LOG_LEVEL=$text gives the receiver the level $level", ({ text, level }) => {
  const { plan, stderr } = planFor({ LOG_LEVEL: text });

  expect(plan.config.logLevel).toBe(level);
  expect(stderr).toBe("");
});

test.each([
  { text: "pretty", format: "auto" },
  { text: "json", format: "json" },
] as const)("LOG_FORMAT=$text gives the receiver the format $format", ({ text, format }) => {
  const { plan, stderr } = planFor({ LOG_FORMAT: text });

  expect(plan.config.logFormat).toBe(format);
  expect(stderr).toBe("");
});

test.each([
  { env: { MAX_CONNECTIONS: "unlimited" }, limits: { connections: 1000 } },
  { env: { IDLE_TIMEOUT_MS: "0" }, limits: { idleMs: 300_000 } },
])(
  "an invalid value that may be meant for the command is ignored with a warning: $env",
  ({ env, limits }) => {
    const { plan, stderr } = planFor({ LOG_LEVEL: "silent", ...env });

    const [[name, value] = []] = Object.entries(env);
    expect(plan.config.limits).toMatchObject(limits);
    expect(stderr).toStartWith(`spanring: warning: ignored ${name}="${value}": `);
    expect(stderr.split("\n")).toHaveLength(2);
  },
);

test("a variable that Kubernetes sets for a Service is ignored", () => {
  const { plan } = planFor({ API_PORT: "tcp://10.96.0.7:80" });

  expect(plan.config.api).toEqual({ host: "127.0.0.1", port: 0 });
});

test("a JUnit report on standard output, which the command uses, is refused", () => {
  const options = [
    { name: "junit", value: "-" },
    { name: "expect", value: "nme=x" },
  ] as const;

  expect(() => planFor({}, options)).toThrow(
    /unknown condition "nme"[^]*--junit "-" is not a file/,
  );
});

test("an invalid value that only spanring can be meant to read is an error", () => {
  expect(() => planFor({ MAX_BUFFER_SIZE: "lots", LOG_LEVEL: "silent" })).toThrow(
    'MAX_BUFFER_SIZE="lots": must be a whole number of spans',
  );
});
