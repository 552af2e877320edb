import { expect, test } from "bun:test";
import { join } from "node:path";
import { runProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the built program treats its environment as the configuration specifies.

const FREE = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };

test.each([
  { variable: "API_PORT", value: "tcp://10.96.0.7:80" },
  { variable: "OTLP_GRPC_PORT", value: "tcp://10.96.0.8:4317" },
  { variable: "OTLP_HTTP_PORT", value: "tcp://10.96.0.9:4318" },
])("--check ignores $variable=$value, as Kubernetes sets it", async ({ variable, value }) => {
  const { exitCode, stdout, stderr } = await runProgram(["--check"], { [variable]: value });

  expect(exitCode).toBe(0);
  expect(stderr).toStartWith(`spanring: warning: ${variable}: ignored: Kubernetes sets ${value} `);
  expect(stdout).toContain(`${variable}=43`);
});

test("a start logs that it ignores a variable of Kubernetes", async () => {
  // The read API listens first and fails, so that no usual port is taken.
  const env = {
    ...FREE,
    OTLP_GRPC_PORT: "tcp://10.96.0.8:4317",
    API_HOST: "nope.invalid",
    API_INSECURE: "true",
  };

  const { stderr } = await runProgram([], env);

  expect(JSON.parse(stderr.split("\n")[0]!)).toMatchObject({
    level: "WARNING",
    event: "configuration",
    variable: "OTLP_GRPC_PORT",
    message: expect.stringContaining("a Service named otlp-grpc; the port is 4317"),
  });
});

test.each(["warn", "trace", "silent"])("LOG_LEVEL=%s does not stop run", async (level) => {
  const env = { LOG_LEVEL: level, PATH: process.env["PATH"] };

  const ran = await runProgram(["run", "--", "sh", "-c", "echo $LOG_LEVEL"], env);

  expect(ran).toMatchObject({ exitCode: 0, stdout: `${level}\n` });
});

test.each(["OTLP_HTTP_HOST", "API_HOST", "OTLP_GRPC_HOST"])(
  "a start and --check report that %s does not resolve",
  async (variable) => {
    const env = { ...FREE, [variable]: "nope.invalid", API_INSECURE: "true" };

    const [started, checked] = await Promise.all([
      runProgram([], env),
      runProgram(["--check"], env),
    ]);

    expect([started.exitCode, checked.exitCode]).toEqual([1, 2]);
    expect(JSON.parse(started.stderr.trimEnd().split("\n").at(-1)!)).toMatchObject({
      event: "cannot_listen",
      reason: "the host name does not resolve",
    });
    expect(checked.stderr).toContain(`${variable}="nope.invalid": must be an address`);
  },
);

test.each([
  { variable: "OTLP_HTTP_HOST", value: "0.0.0.0:4318" },
  { variable: "DATA_DIR", value: "/dev/null" },
  { variable: "FORWARD_HEADERS_FILE", value: join(temporaryFolder(), "missing") },
])("--check refuses $variable=$value", async ({ variable, value }) => {
  const env = { FORWARD_ENDPOINT: "http://127.0.0.1:1", [variable]: value };

  const { exitCode, stdout, stderr } = await runProgram(["--check"], env);

  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(`  ${variable}="${value}": must be `);
});
