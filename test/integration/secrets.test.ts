import { expect, test } from "bun:test";
import { runProgram, startProgram } from "../support/running/running-program.ts";

// Goal: secrets of the environment are never printed. Method: one word is used for every secret,
// and all output of the program is searched for it.

const SECRET = "hunter2";

const VALID = {
  FORWARD_ENDPOINT: `http://127.0.0.1:1/v1/traces?key=${SECRET}`,
  FORWARD_HEADERS: `authorization=Bearer%20${SECRET},x-tenant=${SECRET}`,
};

test("--check shows the configuration without secrets", async () => {
  const { exitCode, stdout, stderr } = await runProgram(["--check"], VALID);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("\nFORWARD_ENDPOINT=http://127.0.0.1:1/v1/traces?***\n");
  expect(stdout).toContain("\nFORWARD_HEADERS=authorization=***,x-tenant=***\n");
  expect(stdout).not.toContain(SECRET);
});

test.each([
  { FORWARD_ENDPOINT: `https://user:${SECRET}@upstream` },
  { FORWARD_ENDPOINT: `user:${SECRET}@upstream:4317` },
  { FORWARD_ENDPOINT: "grpc://upstream", FORWARD_HEADERS: `authorization: Bearer ${SECRET}` },
  { FORWARD_ENDPOINT: "file:///spans.jsonl", FORWARD_HEADERS: `authorization=${SECRET}` },
])("a mistake is reported without secrets (%#)", async (env) => {
  const { exitCode, stdout, stderr } = await runProgram([], env);

  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain("FORWARD_");
  expect(stderr).not.toContain(SECRET);
});

test("neither the log nor the read API reveals secrets", async () => {
  await using program = await startProgram({ ...VALID, LOG_LEVEL: "DEBUG" });
  const paths = ["/api/stats", "/api/services", "/metrics", "/readyz", "/api/openapi.json"];

  const answers = await Promise.all(paths.map((path) => fetch(program.apiUrl + path)));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  await program.stop();

  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  expect(texts.join("\n")).not.toContain(SECRET);
  expect(JSON.stringify(program.log())).not.toContain(SECRET);
});
