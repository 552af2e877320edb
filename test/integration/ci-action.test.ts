import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import program from "../../package.json" with { type: "json" };
import { otlpJsonOfOneSpan } from "../support/requests/one-span-json.ts";
import { COMMAND } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the action for GitHub and the example for GitLab do what they say. Method: their scripts
// are run by bash as those systems run them, with npm, and with a package around this program.

const GITHUB = join(import.meta.dir, "../../.github");
const ACTION = Bun.YAML.parse(
  readFileSync(join(GITHUB, "actions/spanring/action.yml"), "utf8"),
) as Action;
const PAGE = readFileSync(join(GITHUB, "CI.md"), "utf8");

interface Step {
  readonly run: string;
  readonly shell: string;
  readonly if?: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, { readonly description: string; default: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly [install: Step, run: Step] };
}

type Inputs = Readonly<Record<string, string>>;

/** Replaces `${{ inputs.name }}`. */
function evaluated(text: string, inputs: Inputs): string {
  return text.replaceAll(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_, name: string) => {
    return inputs[name] ?? ACTION.inputs[name]!.default;
  });
}

/** A machine that runs jobs: a folder for its files, and the variables of a job. */
function jobIn(folder: string) {
  const variables: Record<string, string> = {
    HOME: folder,
    PATH: process.env["PATH"]!,
    RUNNER_TEMP: join(folder, "temp"),
    GITHUB_PATH: join(folder, "path"),
  };
  return {
    /** Runs a step, as GitHub runs `shell: bash`. */
    run: async ({ run, env }: Step, inputs: Inputs) => {
      const given = Object.entries(env).map(([name, value]) => [name, evaluated(value, inputs)]);
      const all = { ...variables, ...Object.fromEntries(given) };
      return await bash(run, { folder, env: all });
    },
    /** Does what GitHub does after a step: what was added to the path applies to the next ones. */
    addPaths: () => {
      const added = readFileSync(variables["GITHUB_PATH"]!, "utf8").trim().split("\n");
      variables["PATH"] = [...added, variables["PATH"]].join(":");
    },
  };
}

async function bash(
  script: string,
  { folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
) {
  const argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script];
  const child = Bun.spawn(argv, { cwd: folder, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

const SPANRING = `#!/bin/sh\nexec ${COMMAND.map((word) => `'${word}'`).join(" ")} "$@"\n`;

/** Writes an npm package whose command is this program. */
function writtenPackage(): string {
  const folder = temporaryFolder();
  const manifest = { name: "spanring", version: program.version, bin: "spanring.sh" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "spanring.sh"), SPANRING);
  chmodSync(join(folder, "spanring.sh"), 0o755);
  return folder;
}

/** A command for bash that emits a span named `GET /orders`. */
const EMITS = `curl -sf "$OTEL_EXPORTER_OTLP_ENDPOINT/v1/traces" \\
  -H 'Content-Type: application/json' -d '${otlpJsonOfOneSpan("GET /orders")}'`;

test("every input that the action uses is declared, described and used", () => {
  const used = JSON.stringify(ACTION.runs).matchAll(/inputs\.([a-z-]+)/g);
  const names = [...new Set([...used].map(([, name]) => name!))];

  expect(names.toSorted()).toEqual(Object.keys(ACTION.inputs).toSorted());
  expect(Object.values(ACTION.inputs).filter(({ description }) => !description)).toEqual([]);
  expect(ACTION.runs.using).toBe("composite");
  expect(ACTION.runs.steps.map(({ shell }) => shell)).toEqual(["bash", "bash"]);
});

const NAMED = `spanring@${program.version}`;

test("the action and the page name the version of this source", () => {
  expect(ACTION.inputs["package"]!.default).toBe(NAMED);
  expect(PAGE.match(/spanring@v?\d+\.\d+\.\d+/g)).toEqual([`spanring@v${program.version}`, NAMED]);
});

describe("the action", () => {
  const folder = temporaryFolder();
  const job = jobIn(folder);
  const spanring = writtenPackage();
  const [install, run] = ACTION.runs.steps;

  test("installs the command for later steps", async () => {
    mkdirSync(join(folder, "temp"));

    const { exitCode, stderr } = await job.run(install, { package: spanring });
    job.addPaths();

    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });

  test("passes if every expectation is met, and writes the files", async () => {
    const expectations = "name=GET /orders & count=1\n\nstatus=error & count=0\n";
    const files = { junit: "spans.xml", out: "spans.jsonl" };

    const end = await job.run(run, { run: EMITS, expect: expectations, show: "true", ...files });

    expect({ exitCode: end.exitCode, stderr: end.stderr }).toMatchObject({ exitCode: 0 });
    expect(end.stderr).toContain("GET /orders");
    expect(readFileSync(join(folder, "spans.xml"), "utf8")).toContain('tests="3"');
    expect(readFileSync(join(folder, "spans.jsonl"), "utf8")).toContain("GET /orders");
  });

  test.each([
    {
      name: "an expectation that is not met",
      inputs: { run: EMITS, expect: "name=other" },
      code: 1,
    },
    { name: "a command that fails", inputs: { run: `exit 7; ${EMITS}` }, code: 7 },
    { name: "a command that fails in a pipe", inputs: { run: "false | true" }, code: 1 },
  ])("fails for $name", async ({ inputs, code }) => {
    expect((await job.run(run, inputs)).exitCode).toBe(code);
  });

  test("does not run text of an expectation as a script", async () => {
    const expectations = 'name=$(touch injected) & count=0\nname="; touch injected; " & count=0';

    const { exitCode } = await job.run(run, { run: "true", expect: expectations });

    expect(exitCode).toBe(0);
    expect(await Bun.file(join(folder, "injected")).exists()).toBe(false);
  });
});

/** Returns the first example of the page in this language. */
function exampleOf(kind: string): unknown {
  return Bun.YAML.parse(new RegExp(`\`\`\`yaml ${kind}\\n([^]*?)\`\`\``).exec(PAGE)![1]!);
}

test("the example for GitHub gives the action inputs that it has", () => {
  const { steps } = exampleOf("github") as { readonly steps: readonly { with?: Inputs }[] };
  const given = Object.keys(steps.at(-1)!.with!);

  expect(given).toEqual(["run", "expect", "junit"]);
  expect(given.filter((name) => !(name in ACTION.inputs))).toEqual([]);
});

test.each([
  { name: "passes with the span", emitted: "GET /orders", exitCode: 0 },
  { name: "fails without it", emitted: "GET /other", exitCode: 1 },
])("the example for GitLab $name, and writes its report", async ({ emitted, exitCode }) => {
  const folder = temporaryFolder();
  const job = (exampleOf("gitlab") as Record<"test", GitLabJob>).test;
  const tools = {
    npm: `#!/bin/sh\n[ "$1" = ci ] || ${EMITS.replace("GET /orders", emitted)}\n`,
    npx: `#!/bin/sh\n[ "$1 $2" = '--yes ${NAMED}' ] || exit 9\nshift 2\n${SPANRING}`,
  };
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(folder, name), script, { mode: 0o755 });
  }
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder };

  const end = await bash(job.script.join("\n"), { folder, env });

  expect({ exitCode: end.exitCode, stderr: end.stderr }).toMatchObject({ exitCode });
  const report = readFileSync(join(folder, job.artifacts.reports.junit), "utf8");
  expect(report).toContain('tests="2"');
});

interface GitLabJob {
  readonly script: readonly string[];
  readonly artifacts: { readonly reports: { readonly junit: string } };
}
