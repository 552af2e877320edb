import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeLibrary } from "../../scripts/release/npm-packages.ts";
import { executablePackage, thisPlatform } from "../../src/testing/executable-path.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the matchers work in Vitest and Jest on Node, with their types, as the package has them.
// Method: an example project for each, with the package's files and the installed test runners.

const ROOT = join(import.meta.dir, "../..");
const RUNNERS = join(ROOT, ".tools/test-runners/node_modules");
const PROGRAM = join(ROOT, "dist", "spanring");
const ENV = { PATH: process.env["PATH"], SPANRING_BINARY: PROGRAM };

const steps = (name: string) => `
const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const spans = [{ ...ids, name: "GET /orders" }];

test("an order is traced", async () => {
  const ring = await startSpanring();
  console.log("api", ring.endpoints.api);
  await fetch(ring.endpoints.http + "/v1/traces", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  await expect(ring).not.toHaveSpan({ name: "GET /customers" });
  await expect(ring).toHaveSpan({ service: "unknown_service", name: "${name}" }, { timeoutMs: 99 });
  await ring.stop();
});
`;

const VITEST = {
  runner: "Vitest",
  command: ["node_modules/vitest/vitest.mjs", "run"],
  files: {
    "vitest.config.mjs": 'export default { test: { setupFiles: ["spanring/testing/vitest"] } };\n',
  },
  testFile: "order.test.ts",
  head: `import { expect, test } from "vitest";
import { startSpanring } from "spanring/testing";
import "spanring/testing/vitest";
`,
};

const JEST = {
  runner: "Jest",
  command: ["node_modules/jest/bin/jest.js"],
  files: { "jest.config.cjs": 'exports.setupFilesAfterEnv = ["spanring/testing/jest"];\n' },
  testFile: "order.test.js",
  head: 'const { startSpanring } = require("spanring/testing");\n',
};

const JEST_TYPES = `import "spanring/testing/jest";
import { startSpanring } from "spanring/testing";
`;

/** Returns a project with the files, the package and the test runners. */
async function projectWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(RUNNERS)) {
    symlinkSync(join(RUNNERS, name), join(folder, "node_modules", name));
  }
  await writeLibrary(join(folder, "node_modules/spanring"));
  const all = { "package.json": '{ "private": true }\n', ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs a command of Node in a project. */
async function run(command: readonly string[], cwd: string) {
  const env = { ...ENV, NO_COLOR: "1" };
  const child = Bun.spawn([...command], { cwd, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { text: stdout + stderr, exitCode: await child.exited };
}

/** Checks the types of a file in a project with these global types. */
async function checkTypes(text: string, types: readonly string[]) {
  const compilerOptions = { module: "preserve", target: "es2023", strict: true, noEmit: true };
  const config = { compilerOptions: { ...compilerOptions, types }, files: ["types.ts"] };
  const files = { "types.ts": text, "tsconfig.json": JSON.stringify(config) };
  return await run([process.execPath, "check", "--no-script"], await projectWith(files));
}

const isClosed = (api: string) =>
  fetch(api).then(
    () => false,
    () => true,
  );

function withRunners(): void {
  test.each([VITEST, JEST])("$runner finds a span", async (each) => {
    const text = each.head + steps("GET /orders");
    const project = await projectWith({ ...each.files, [each.testFile]: text });

    const ended = await run(["node", ...each.command], project);

    expect(ended).toMatchObject({ exitCode: 0, text: expect.stringMatching(/Tests:? +1 passed/) });
  });

  test.each([VITEST, JEST])("$runner shows a near miss, and ends spanring", async (each) => {
    const text = each.head + steps("GET /order");
    const project = await projectWith({ ...each.files, [each.testFile]: text });

    const ended = await run(["node", ...each.command], project);

    expect(ended.exitCode).toBe(1);
    expect(ended.text).toContain('without name=GET /order, 1 match, such as "GET /orders"');
    const [, api] = /api (http:\S+)/.exec(ended.text)!;
    while (!(await isClosed(api!))) await Bun.sleep(5);
  });

  test.each([
    { name: "Vitest", head: VITEST.head, types: ["node"] },
    { name: "@types/jest", head: JEST_TYPES, types: ["node", "jest"] },
    {
      name: "@jest/globals",
      head: `import { expect, test } from "@jest/globals";\n${JEST_TYPES}`,
      types: ["node"],
    },
  ])("the matcher has types for $name, which refuse a wrong condition", async (each) => {
    const right = await checkTypes(each.head + steps("GET /orders"), each.types);
    const wrong = await checkTypes(
      each.head + steps("GET /orders").replace("service:", "servic:"),
      each.types,
    );

    expect(right).toMatchObject({ exitCode: 0, text: expect.stringContaining("No type errors") });
    expect(wrong.text).toContain("'servic' does not exist in type 'SpanConditions'");
  });
}

test("the library in CommonJS starts the executable that is installed beside it", async () => {
  const folder = temporaryFolder();
  const installed = join(folder, "node_modules", executablePackage(thisPlatform()), "bin");
  mkdirSync(installed, { recursive: true });
  symlinkSync(PROGRAM, join(installed, "spanring"));
  await writeLibrary(join(folder, "node_modules/spanring"));
  const script = `require("spanring/testing").startSpanring().then((ring) => ring.stop())`;

  const ended = await run(["env", "-u", "SPANRING_BINARY", "node", "-e", script], folder);

  expect(ended).toEqual({ exitCode: 0, text: "" });
  const bundle = await Bun.file(join(folder, "node_modules/spanring/testing.cjs")).text();
  expect(bundle.includes(ROOT)).toBe(false);
});

if (existsSync(RUNNERS)) withRunners();
else notRun(7, "Vitest and Jest are missing; see scripts/setup.sh");
