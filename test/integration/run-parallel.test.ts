import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { COMMAND } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a CI system may run any number of jobs on one machine, each with `spanring run`.
// Method: all runs are up at once, because no command ends before all have started; each expects
// its own span, and no other one. `SPANRING_FUZZ_FACTOR=5` makes a hundred of the twenty.

const RUNS = fuzzRuns(20);

/** Marks the processes of a test in their environment, which their children inherit. */
const MARK = "SPANRING_TEST_MARK";

const SCRIPT = `
printf '%s\\n' "$SPANRING_URL"
read -r go
exec "$SEND" send --to "$OTEL_EXPORTER_OTLP_ENDPOINT" "$0" > /dev/null
`;

function spanFile(folder: string, number: number): string {
  const path = join(folder, `${number}.json`);
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const spans = [{ ...ids, name: `span ${number}` }];
  writeFileSync(path, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  return path;
}

/** Starts a run that waits for a line of input, and then sends a span. */
function startRun(number: number, { files, temporary }: Readonly<Record<string, string>>) {
  const expectations = ["--expect", `name=span ${number} & count=1`, "--expect", "count=1"];
  const script = ["sh", "-c", SCRIPT, spanFile(String(files), number)];
  const junit = ["--junit", join(String(files), `${number}.xml`)];
  return Bun.spawn([...COMMAND, "run", ...expectations, ...junit, "--", ...script], {
    env: {
      PATH: process.env["PATH"],
      TMPDIR: String(temporary),
      HOME: String(temporary),
      SEND: COMMAND[0],
      [MARK]: String(temporary),
    },
    cwd: String(temporary),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Returns the processes that have inherited the mark. */
function markedProcesses(mark: string): string[] {
  return readdirSync("/proc").filter((name) => {
    return /^\d+$/.test(name) && environmentOf(name).includes(`${MARK}=${mark}\0`);
  });
}

/** Returns the environment of a process; empty if it has ended, or belongs to someone else. */
function environmentOf(process: string): string {
  try {
    return readFileSync(`/proc/${process}/environ`, "utf8");
  } catch {
    return "";
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const { value } = await stream.getReader().read();
  return new TextDecoder().decode(value).trim();
}

test("parallel runs use other ports, see their own spans, and leave nothing behind", async () => {
  const folder = temporaryFolder();
  const [files, temporary] = [join(folder, "files"), join(folder, "temporary")];
  for (const each of [files, temporary]) mkdirSync(each);

  const runs = Array.from({ length: RUNS }, (_, index) => startRun(index, { files, temporary }));
  const urls = await Promise.all(runs.map(({ stdout }) => firstLine(stdout)));
  const running = markedProcesses(temporary);
  for (const { stdin } of runs) {
    stdin.write("\n");
    void stdin.end();
  }
  const ends = await Promise.all(
    runs.map(async ({ exited, stderr }) => ({ exitCode: await exited, text: await stderr.text() })),
  );

  expect(new Set(urls).size).toBe(RUNS);
  expect(running.length).toBeGreaterThanOrEqual(2 * RUNS);
  expect(new Set(ends.map((end) => JSON.stringify(end)))).toEqual(
    new Set([JSON.stringify({ exitCode: 0, text: "spanring: 2 expectations met\n" })]),
  );
  expect(markedProcesses(temporary)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
  expect(readdirSync(files).length).toBe(2 * RUNS);
  const answers = await Promise.allSettled(urls.map((url) => fetch(url)));
  expect(answers.map(({ status }) => status)).toEqual(urls.map(() => "rejected"));
});
