import { afterEach, describe, expect, jest, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FREE_FAILURES } from "../../src/adapters/listening/token-gate.ts";
import { CHECK_INTERVAL_MS } from "../../src/adapters/listening/reloaded-files.ts";
import { type Environment, readConfig } from "../../src/config/config.ts";
import { checkStart } from "../../src/server/check.ts";
import { exposureWarnings, openTokenGates } from "../../src/server/tokens.ts";
import { recordingProblems } from "../support/fakes/problem-totals.ts";
import { HandMovedClock } from "../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const folder = temporaryFolder();

afterEach(() => void jest.useRealTimers());

function fileOf(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function configOf(env: Environment) {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  return reading.config;
}

async function open(env: Environment) {
  const [clock, logger] = [new HandMovedClock(), new RecordingLogger()];
  const problems = recordingProblems(logger);
  const gates = await openTokenGates({ config: configOf(env), problems, logger, clock });
  return { gates, clock, logger };
}

async function openRight(env: Environment) {
  const { gates, ...others } = await open(env);
  if ("mistakes" in gates) throw new Error(JSON.stringify(gates.mistakes));
  const accepts = (gate: "otlp" | "api", apiKey: string) =>
    gates[gate]?.refusalOf({ authorization: null, apiKey, address: "a", protocol: "api" }) ===
    undefined;
  return { gates, accepts, ...others };
}

test("each file applies to its own listeners", async () => {
  const { gates, accepts } = await openRight({
    OTLP_AUTH_TOKENS_FILE: fileOf("senders", "one"),
    API_AUTH_TOKENS_FILE: fileOf("readers", "two"),
  });
  gates.close();

  const accepted = [accepts("otlp", "one"), accepts("otlp", "two"), accepts("api", "two")];
  expect(accepted).toEqual([true, false, true]);
});

test("without a file, a listener has no gate", async () => {
  const { gates, clock } = await openRight({});

  expect([gates.otlp, gates.api, clock.pendingActions]).toEqual([undefined, undefined, 0]);
});

test("a changed file is used after an interval, and the log does not show its tokens", async () => {
  const path = fileOf("readers", "one");
  const { gates, accepts, clock, logger } = await openRight({ API_AUTH_TOKENS_FILE: path });
  writeFileSync(path, "# rotation\nhunter2\nthree\n");

  const before = accepts("api", "hunter2");
  clock.moveMs(CHECK_INTERVAL_MS);
  await gates.reload();
  gates.close();

  expect([before, accepts("api", "hunter2"), accepts("api", "one")]).toEqual([false, true, false]);
  expect(logger.lines.filter(({ event }) => event === "tokens_reloaded")).toEqual([
    {
      level: "info",
      event: "tokens_reloaded",
      fields: { variable: "API_AUTH_TOKENS_FILE", tokens: 2 },
    },
  ]);
  expect(JSON.stringify(logger.lines)).not.toContain("hunter2");
  expect(clock.pendingActions).toBe(0);
});

test("a bad file changes nothing, while the other one is reloaded", async () => {
  const [senders, readers] = [fileOf("senders", "one"), fileOf("readers", "two")];
  const env = { OTLP_AUTH_TOKENS_FILE: senders, API_AUTH_TOKENS_FILE: readers };
  const { gates, accepts, logger } = await openRight(env);
  writeFileSync(senders, "hunter2 hunter2");
  writeFileSync(readers, "three");

  const isReloaded = await gates.reload();
  gates.close();

  expect([isReloaded, accepts("otlp", "one"), accepts("api", "three")]).toEqual([
    false,
    true,
    true,
  ]);
  expect(logger.lines.find(({ event }) => event === "cannot_reload")).toMatchObject({
    level: "warning",
    fields: { variable: "OTLP_AUTH_TOKENS_FILE", value: senders },
  });
  expect(JSON.stringify(logger.lines)).not.toContain("hunter2");
});

const MISSING = join(folder, "missing");

describe("a start without right files", () => {
  test("fails, and names every mistake", async () => {
    const readers = fileOf("readers", "# none");
    const env = { OTLP_AUTH_TOKENS_FILE: MISSING, API_AUTH_TOKENS_FILE: readers };
    const { gates, clock } = await open(env);
    const checked = await checkStart({ config: configOf(env), version: "0.0.0" });

    expect(gates).toEqual({
      mistakes: [
        {
          variable: "OTLP_AUTH_TOKENS_FILE",
          value: MISSING,
          bound: "a readable file: no such file or folder",
        },
        {
          variable: "API_AUTH_TOKENS_FILE",
          value: readers,
          bound: "a file with at least one token",
        },
      ],
    });
    expect({ mistakes: checked.mistakes }).toEqual(gates as never);
    expect(clock.pendingActions).toBe(0);
  });

  test("watches no file, because one of them is right", async () => {
    const senders = fileOf("senders", "one");
    const { gates, clock } = await open({
      OTLP_AUTH_TOKENS_FILE: senders,
      API_AUTH_TOKENS_FILE: MISSING,
    });

    expect("mistakes" in gates).toBe(true);
    expect(clock.pendingActions).toBe(0);
  });

  test("logs an error and ends", async () => {
    const logger = new RecordingLogger();
    const starting = runServer({ API_AUTH_TOKENS_FILE: MISSING }, logger);

    expect(starting).rejects.toThrow("the log says");
    await starting.catch(() => {});
    expect(logger.lines.filter(({ level }) => level === "error")).toMatchObject([
      { event: "cannot_listen", fields: { variable: "API_AUTH_TOKENS_FILE" } },
    ]);
  });
});

const HASH = `sha256:${"0".repeat(64)}`;

test.each<{ text: string; mode: number; isWarned: boolean }>([
  { text: "one", mode: 0o644, isWarned: true },
  { text: "one", mode: 0o640, isWarned: true },
  { text: "one", mode: 0o604, isWarned: true },
  { text: `${HASH}\none`, mode: 0o644, isWarned: true },
  { text: "one", mode: 0o600, isWarned: false },
  { text: "one", mode: 0o400, isWarned: false },
  { text: HASH, mode: 0o644, isWarned: false },
])("a file of mode $mode warns: $isWarned", async ({ text, mode, isWarned }) => {
  const path = fileOf("readers", text, mode);
  const config = configOf({ API_AUTH_TOKENS_FILE: path });
  const { warnings } = await checkStart({ config, version: "0.0.0" });
  const message =
    `other users can read the tokens in ${path}: let only its owner read it, or store the ` +
    "sha256: lines of spanring token instead";

  expect(warnings).toEqual(isWarned ? [{ variable: "API_AUTH_TOKENS_FILE", message }] : []);
});

const LOCAL_GRPC = { OTLP_GRPC_HOST: "127.0.0.1" };
const LOCAL_HTTP = { OTLP_HTTP_HOST: "localhost" };

test.each<{ name: string; env: Environment; variables: string[] }>([
  { name: "both listeners", env: {}, variables: ["OTLP_GRPC_HOST"] },
  { name: "one of them", env: LOCAL_GRPC, variables: ["OTLP_HTTP_HOST"] },
  { name: "the other one", env: LOCAL_HTTP, variables: ["OTLP_GRPC_HOST"] },
  { name: "none", env: { ...LOCAL_GRPC, ...LOCAL_HTTP }, variables: [] },
  { name: "one that is off", env: { ...LOCAL_GRPC, OTLP_HTTP_PORT: "off" }, variables: [] },
  { name: "both, with tokens", env: { OTLP_AUTH_TOKENS_FILE: "file" }, variables: [] },
])("one warning if strangers can send to $name", ({ env, variables }) => {
  expect(exposureWarnings(configOf(env)).map(({ variable }) => variable)).toEqual(variables);
});

test("the warning names what to set", () => {
  const [both] = exposureWarnings(configOf({}));

  expect(both?.message).toBe(
    "everyone who can reach this port may send spans: set OTLP_AUTH_TOKENS_FILE, or set " +
      "OTLP_GRPC_HOST and OTLP_HTTP_HOST to 127.0.0.1",
  );
});

test("a start says once that strangers can send spans", async () => {
  const logger = new RecordingLogger();
  const env = { OTLP_GRPC_HOST: "0.0.0.0", OTLP_HTTP_HOST: "0.0.0.0" };
  const server = await runServer(env, logger);
  await server.stop(0);

  expect(logger.lines.filter(({ level }) => level === "warning")).toMatchObject([
    { event: "configuration", fields: { variable: "OTLP_GRPC_HOST" } },
  ]);
});

test("a running server reloads its tokens, and says when it cannot", async () => {
  const path = fileOf("readers", "one");
  const logger = new RecordingLogger();
  const server = await runServer({ API_AUTH_TOKENS_FILE: path }, logger);
  const statusWith = async (key: string) => {
    const url = `http://127.0.0.1:${server.ports.api}/api/stats`;
    return (await fetch(url, { headers: { "x-api-key": key } })).status;
  };
  const before = [await statusWith("one"), await statusWith("two")];
  writeFileSync(path, "two");
  await server.reload();
  const after = [await statusWith("one"), await statusWith("two")];
  writeFileSync(path, "");
  await server.reload();
  const kept = await statusWith("two");
  await server.stop(0);

  expect({ before, after, kept }).toEqual({ before: [200, 401], after: [401, 200], kept: 200 });
  const events = logger.lines.map(({ event }) => event);
  expect(events.filter((event) => event.includes("reload"))).toEqual([
    "tokens_reloaded",
    "reloaded",
    "cannot_reload",
    "not_reloaded",
  ]);
});

async function ask(port: number | "off", path: string, init?: RequestInit): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
}

test("a stop does not wait for refusals that are delayed", async () => {
  // With these timers, no delay ends by itself.
  jest.useFakeTimers();
  const server = await runServer({ OTLP_AUTH_TOKENS_FILE: fileOf("senders", "one") });
  const send = () => ask(server.ports.http, "/v1/traces", { method: "POST" });
  const failures = () =>
    server.problems().find(({ reason, protocol }) => {
      return reason === "unauthenticated" && protocol === "http";
    })!.count;
  for (let failure = 0; failure < FREE_FAILURES; failure += 1) await send();
  const delayed = send();
  while (failures() <= FREE_FAILURES) await ask(server.ports.api, "/healthz");

  await server.stop(60_000);

  expect(await delayed).toBe(401);
});
