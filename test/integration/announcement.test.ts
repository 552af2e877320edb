import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "bun:test";
import { COMMAND, FREE_PORTS, runProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: those who start spanring themselves learn where it listens, without reading its log.

const ENV = { PATH: process.env["PATH"], ...FREE_PORTS };
const OLD = "of an earlier run";

/** What a ready file contains. */
interface Ready {
  readonly pid: number;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

test("the ready file appears once all ports answer, and is gone after a stop", async () => {
  const path = join(temporaryFolder(), "ready.json");
  writeFileSync(path, OLD);
  const argv = [...COMMAND, "--ready-file", path];
  const child = Bun.spawn(argv, { env: ENV, stdio: ["ignore", "ignore", "ignore"] });
  const isReady = () => existsSync(path) && readFileSync(path, "utf8") !== OLD;

  while (!isReady() && child.exitCode === null) await Bun.sleep(5);
  const ready = JSON.parse(readFileSync(path, "utf8")) as Ready;
  const url = `${ready.env["OTEL_EXPORTER_OTLP_ENDPOINT"]}/v1/traces`;
  const headers = { "Content-Type": "application/json" };
  const sent = await fetch(url, { method: "POST", headers, body: '{"resourceSpans":[]}' });
  const stats = await runProgram(["stats"], ready.env);
  child.kill("SIGTERM");

  expect(await child.exited).toBe(0);
  expect(ready.pid).toBe(child.pid);
  expect(Object.keys(ready.endpoints)).toEqual(["grpc", "http", "api"]);
  expect(sent.status).toBe(200);
  expect(JSON.parse(stats.stdout)).toMatchObject({
    exporters: { http: { requests: { traces: 1 } } },
  });
  expect(readdirSync(dirname(path))).toEqual([]);
});

const AS_A_SERVICE = `
eval "$("$@" --print-env 2> /dev/null < /dev/null &)"
"$@" stats > "$OUT" || exit 9
kill "$SPANRING_PID"
while kill -0 "$SPANRING_PID" 2> /dev/null; do :; done
`;

test("a shell starts spanring in the background, reads its variables, and stops it", async () => {
  const OUT = join(temporaryFolder(), "stats.json");
  const argv = ["sh", "-c", AS_A_SERVICE, "sh", ...COMMAND];

  const child = Bun.spawn(argv, { env: { ...ENV, OUT }, stdio: ["ignore", "ignore", "inherit"] });

  expect(await child.exited).toBe(0);
  expect(JSON.parse(readFileSync(OUT, "utf8"))).toMatchObject({ spans: { received: 0 } });
});

test("a run has a ready file while its command runs, with the variables of that", async () => {
  const path = join(temporaryFolder(), "ready.json");
  const script = 'cat "$0" && printf "%s" "$OTEL_EXPORTER_OTLP_ENDPOINT" >&2';
  const options = ["--protocol", "grpc", "--ready-file", path];

  const ran = await runProgram(["run", ...options, "--", "sh", "-c", script, path], ENV);

  expect(ran.exitCode).toBe(0);
  const { env, endpoints } = JSON.parse(ran.stdout) as Ready;
  expect(env).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: ran.stderr,
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    SPANRING_URL: endpoints["api"],
  });
  expect(ran.stderr).toBe(String(endpoints["grpc"]));
  expect(existsSync(path)).toBe(false);
});

test.each([
  { name: "spanring", before: [], after: [] },
  { name: "run", before: ["run"], after: ["--", "echo", "started"] },
])("a ready file that cannot be written prevents the start of $name", async ({ before, after }) => {
  const path = join(temporaryFolder(), "missing", "ready.json");

  const ended = await runProgram([...before, "--ready-file", path, ...after], ENV);

  expect(ended).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `spanring: cannot write "${path}": no such file or folder\n`,
  });
});
