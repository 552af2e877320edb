import chromium from "@sparticuz/chromium";
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { writeLibrary } from "../../scripts/release/npm-packages.ts";
import { GO_TEST, PYTEST } from "../support/runners/language-tools.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the examples in `examples/` work as they are, and fail with a near miss when no span has
// the name that they wait for.
// Method: each is copied to a project of its own and run by the tool that it is for.

const ROOT = join(import.meta.dir, "../..");
const EXAMPLES = join(import.meta.dir, "../examples");
const RUNNERS = join(ROOT, ".tools/test-runners/node_modules");

interface Example {
  readonly name: string;
  readonly isPresent: boolean;
  /** The file that waits for a span, and how it writes the name of that. */
  readonly file: string;
  readonly wait: string;
  readonly command: readonly string[];
  readonly env?: () => Promise<Readonly<Record<string, string>>>;
}

const LIBRARY_WAIT = 'waitFor({ name: "GET /orders" }';

const TOOLS: readonly Example[] = [
  {
    name: "pytest",
    ...PYTEST,
    file: "test_orders.py",
    wait: '"--name", "GET /orders"',
  },
  {
    name: "go",
    ...GO_TEST,
    file: "orders_test.go",
    wait: '"--name", "GET /orders"',
  },
  {
    name: "playwright",
    isPresent: existsSync(join(RUNNERS, "@playwright/test")),
    file: "orders.mjs",
    wait: LIBRARY_WAIT,
    command: ["node", "node_modules/@playwright/test/cli.js", "test"],
    env: async () => ({ CHROMIUM: await chromium.executablePath() }),
  },
  {
    name: "deno",
    isPresent: existsSync(join(RUNNERS, "deno")),
    file: "orders.mjs",
    wait: LIBRARY_WAIT,
    command: ["node", "node_modules/deno/bin.cjs", "test", "-A", "--no-check", "orders.mjs"],
  },
];

const present = TOOLS.filter(({ isPresent }) => isPresent);

for (const { name } of TOOLS.filter(({ isPresent }) => !isPresent)) {
  notRun(1, `${name} is missing`);
}

/** Copies an example, with the library and the runners for those on Node and Deno. */
async function projectOf({ name }: Example): Promise<string> {
  const folder = temporaryFolder();
  cpSync(join(EXAMPLES, name), folder, { recursive: true });
  if (!existsSync(join(folder, "orders.mjs"))) return folder;
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const each of readdirSync(RUNNERS)) symlinkSync(join(RUNNERS, each), join(modules, each));
  await writeLibrary(join(modules, "spanring"));
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  return folder;
}

const DENO_DIR = temporaryFolder();

async function run({ command, env }: Example, cwd: string) {
  const child = Bun.spawn([...command], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      DENO_DIR,
      SPANRING_BINARY: join(ROOT, "dist/spanring"),
      CGO_ENABLED: "0",
      NO_COLOR: "1",
      ...(await env?.()),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, text: stdout + stderr };
}

test.each(present)("the example for $name passes, and fails with a near miss", async (example) => {
  const folder = await projectOf(example);
  const path = join(folder, example.file);
  const text = readFileSync(path, "utf8");

  const passed = await run(example, folder);
  const later = example.wait.replace("/orders", "/order");
  writeFileSync(path, text.replace(example.wait, later));
  const failed = await run(example, folder);

  expect(passed).toMatchObject({ exitCode: 0 });
  expect(text.split(example.wait)).toHaveLength(2);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.text).toMatch(/without [^\n]*GET \/order["\n,][\s\S]*GET \/orders/);
});
