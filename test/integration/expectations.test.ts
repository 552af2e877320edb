import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { COMMAND, runProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: each form of an expectation works in the program, on spans of a real SDK.

const ORDER = join(import.meta.dir, "../support/sdk/emit-order.mjs");
const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };

async function run(expectations: readonly string[], argument = "badly") {
  const options = expectations.flatMap((text) => ["--expect", text]);
  return await runProgram(
    ["run", "--settle", "10ms", ...options, "--", "node", ORDER, argument],
    ENV,
  );
}

test("a run meets expectations of every form", async () => {
  const met = [
    "name=SELECT* under name='GET /orders' & count=1..5",
    "name=SELECT* directly under kind=server",
    "all kind=server have http.route & duration<=5s",
    "http.response.status_code>=500",
    "event=exception & exception.type=TimeoutError",
    "name=authorize before name=SELECT*",
    "link=* & count=0",
  ];

  const { exitCode, stderr } = await run(met);

  expect(stderr).toBe("spanring: 7 expectations met\n");
  expect(exitCode).toBe(0);
});

test("a run without errors meets the expectation of none", async () => {
  const { exitCode, stderr } = await run(["no error anywhere"], "well");

  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: "spanring: 1 expectation met\n",
  });
});

test.each([
  {
    text: "name=SELECT* under name='GET /order'",
    says: ["expected under name='GET /order'; found under GET /orders\n", "→ └─ SELECT orders"],
  },
  {
    text: "all kind=server have http.route & duration<1s",
    says: ["seen: 1 span, 1 of them without", "expected duration<1s; found 5s\n", "→ GET /orders"],
  },
  {
    text: "event=exception & exception.type=OtherError",
    says: ["found exception exception.type=TimeoutError\n"],
  },
  {
    text: "name=SELECT* before name=authorize",
    says: ["expected name=SELECT* before it; found the first one 2s after it\n"],
  },
  { text: "no error anywhere", says: ["seen: 1 span\n", "✗ SELECT orders"] },
])("a run that misses $text shows the nearest span", async ({ text, says }) => {
  const { exitCode, stderr } = await run([text]);

  expect(exitCode).toBe(1);
  expect(stderr).toContain(`✗ expected ${text}\n`);
  expect(says.filter((part) => !stderr.includes(part))).toEqual([]);
});

test("a run checks the expectations of a file", async () => {
  const file = join(temporaryFolder(), "spans.yaml");
  writeFileSync(file, "# checks\n- name=SELECT* under kind=server\n- name=nothing & count=0\n");
  const junit = join(temporaryFolder(), "spans.xml");

  const { exitCode, stderr } = await runProgram(
    ["run", "--expect-file", file, "--junit", junit, "--", "node", ORDER],
    ENV,
  );

  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: "spanring: 2 expectations met\n",
  });
  expect(readFileSync(junit, "utf8")).toContain('name="name=nothing &amp; count=0"');
});

test.each([
  { text: "name=SELECT* under kind=server", exitCode: 0, says: "1 expectation met\n" },
  { text: "no error anywhere", exitCode: 1, says: "  seen: 1 span\n" },
  {
    text: "name=SELECT* under name='GET /order'",
    exitCode: 1,
    says: "    expected under name='GET /order'; found under GET /orders\n",
  },
])("wait checks $text on a running spanring", async ({ text, exitCode, says }) => {
  const waiting = [...COMMAND, "wait", "--timeout", "100ms", "--expect", text];
  const script = 'node "$0" && exec "$@"';

  const ran = await runProgram(["run", "--", "sh", "-c", script, ORDER, ...waiting], ENV);

  expect(ran.exitCode).toBe(exitCode);
  expect(ran.stderr).toContain(says);
});

test("a mistake points at its column, and nothing is started", async () => {
  const { exitCode, stdout, stderr } = await run(["kind=server & nmae=GET /"]);

  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain('--expect, column 15: unknown condition "nmae"');
  expect(stderr).toContain("    kind=server & nmae=GET /\n                  ^");
});
