import { chmodSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { executablePackage, thisPlatform } from "../../../src/testing/executable-path.ts";
import { type BenchCase, CannotRunError } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { ownProcess } from "../own-processes.ts";
import { workFolder } from "../work-folder.ts";

const ROOT = join(import.meta.dir, "../../..");
const BINARY = join(ROOT, "dist/spanring");

/** More than in other cases, because a start is short, and the first one after a pause is slow. */
const STARTS_PER_ROUND = 4;
const STARTS_LEFT_OUT = 2;

const APP = "process.stdout.write(String(performance.timeOrigin));\n";
const DIRECTLY = ["node", "app.mjs"];
const RUN = ["run", "--", ...DIRECTLY];

const CONTENDERS = {
  directly: DIRECTLY,
  executable: [BINARY, ...RUN],
  package: ["node_modules/.bin/spanring", ...RUN],
  "npx itself": ["npx", "--offline", "-c", DIRECTLY.join(" ")],
  npx: ["npx", "--offline", "spanring", ...RUN],
} as const;

type Contender = keyof typeof CONTENDERS;

const CONTENDER_NAMES = Object.keys(CONTENDERS) as readonly Contender[];

/** Measures how much later a command starts because it is run with a receiver. */
export const run: BenchCase = {
  name: "run",
  shows: "the time until spanring run has started its command, next to starting it directly",
  run: async ({ rounds, isShort, progress }) => {
    if (!existsSync(BINARY)) throw new CannotRunError(`${BINARY} is not built: bun run build`);
    if (Bun.which("npx") === null) throw new CannotRunError("npx is missing: install Node.js");
    const starts = STARTS_LEFT_OUT + rounds * (isShort ? 1 : STARTS_PER_ROUND);
    progress(`run: ${starts} times, in turns with the command alone and with npx alone`);
    const project = await writeProject();
    const all: StartTimes[] = [];
    while (all.length < starts) all.push(await timeStarts(project));
    return figures(all.slice(STARTS_LEFT_OUT));
  },
};

type StartTimes = Readonly<Record<Contender, number>>;

/** Times each contender once, one after the other. */
async function timeStarts(project: string): Promise<StartTimes> {
  const times: [Contender, number][] = [];
  for (const name of CONTENDER_NAMES)
    times.push([name, await timeStart(CONTENDERS[name], project)]);
  return Object.fromEntries(times) as unknown as StartTimes;
}

/** Returns the time from before the process exists to the start of the app, as the app says. */
async function timeStart(argv: readonly string[], cwd: string): Promise<number> {
  const beganMs = performance.timeOrigin + performance.now();
  const env = { PATH: process.env["PATH"], HOME: cwd };
  const child = Bun.spawn([...argv], { cwd, env, stdio: ["ignore", "pipe", "ignore"] });
  ownProcess(child);
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) throw new CannotRunError(`${argv.join(" ")} has failed`);
  return Number(text) - beganMs;
}

/** Writes a project in which the npm package is installed, and returns its folder. */
async function writeProject(): Promise<string> {
  const folder = workFolder();
  const modules = join(folder, "node_modules");
  const command = join(modules, "spanring/bin/spanring.js");
  const executable = join(modules, executablePackage(thisPlatform()), "bin/spanring");
  for (const path of [command, executable, join(modules, ".bin/spanring")]) {
    mkdirSync(dirname(path), { recursive: true });
  }
  const entrypoints = [join(ROOT, "scripts/release/launcher.ts")];
  const { outputs } = await Bun.build({ entrypoints, target: "node", minify: { syntax: true } });
  await Bun.write(command, `#!/usr/bin/env node\n${await outputs[0]!.text()}`);
  chmodSync(command, 0o755);
  symlinkSync(BINARY, executable);
  symlinkSync("../spanring/bin/spanring.js", join(modules, ".bin/spanring"));
  await Bun.write(join(folder, "package.json"), '{"private":true,"type":"module"}');
  await Bun.write(join(modules, "spanring/package.json"), '{"name":"spanring","type":"module"}');
  await Bun.write(join(folder, "app.mjs"), APP);
  return folder;
}

const GOAL: Goal = { of: "median", is: "<", bound: 150 };

function figures(times: readonly StartTimes[]): Figure[] {
  const later = (name: string, contender: Contender, than: Contender): Figure => ({
    name,
    unit: "ms",
    better: "lower",
    samples: times.map((each) => each[contender] - each[than]),
    reference: { name: than, samples: times.map((each) => each[than]) },
    goal: GOAL,
  });
  return [
    later("later by the executable", "executable", "directly"),
    later("later by the npm package", "package", "directly"),
    later("later by npx", "npx", "npx itself"),
  ];
}
