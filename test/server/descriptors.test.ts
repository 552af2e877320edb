import { afterEach, beforeEach, expect, jest, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import {
  DESCRIPTOR_CHECK_MS,
  type PausableListener,
} from "../../src/adapters/listening/descriptor-guard.ts";
import { readConfig } from "../../src/config/config.ts";
import { guardDescriptors } from "../../src/server/stages.ts";
import { buildParts, type RunningParts } from "../../src/server/parts.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";

// Goal: a server without file descriptors pauses its listeners, logs each step, and recovers.
// Method: fake listeners record their calls; files fail to open on demand, and the test moves the
// time.

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

class FakeListener implements PausableListener {
  readonly calls: string[] = [];
  /** The error of the next call. */
  fault: Error | undefined = undefined;
  canHold = false;

  relieve(): void {
    this.note("relieve");
  }

  hold(): void {
    this.note("hold");
  }

  pause(): void {
    this.note("pause");
  }

  async resume(): Promise<void> {
    this.note("resume");
  }

  private note(call: string): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw fault;
    this.calls.push(call);
  }
}

async function startGuard(env: Readonly<Record<string, string>> = {}) {
  const reading = readConfig({ OTLP_GRPC_PORT: "off", MAX_BUFFER_BYTES: "65536", ...env });
  if (!reading.ok) throw new Error("the configuration is invalid");
  const logger = new RecordingLogger();
  const parts = buildParts({ config: reading.config, logger, version: "0.0.0" });
  const [api, http] = [new FakeListener(), new FakeListener()];
  Object.assign(parts.running, { api, http } satisfies Partial<
    Record<keyof RunningParts, PausableListener>
  >);
  const stage = guardDescriptors(parts);
  const isStarted = await stage.start!();
  const logged = () =>
    logger.lines
      .filter(({ event }) => event !== "problem")
      .map(({ level, event, fields }) => [level, event, fields["listener"]]);
  return { api, http, logger, logged, isStarted, problems: parts.problems, stop: stage.stop! };
}

/** Makes all files fail to open until it is disposed of. */
function withoutDescriptors(): Disposable {
  const opening = spyOn(fs, "openSync").mockImplementation(() => {
    throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  });
  return { [Symbol.dispose]: () => opening.mockRestore() };
}

/** Moves the time and runs everything that follows, none of which waits for the system. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

async function paused(env: Readonly<Record<string, string>> = {}) {
  const guard = await startGuard(env);
  using _ = withoutDescriptors();
  await pass(DESCRIPTOR_CHECK_MS);
  await pass(DESCRIPTOR_CHECK_MS);
  return guard;
}

const ROOT = join(import.meta.dir, "../..");

test("while all listeners are paused, the guard keeps the process running", async () => {
  const code = `
    const { readConfig } = await import("./src/config/config.ts");
    const { SILENT_LOGGER: logger } = await import("./src/adapters/logging/silent-logger.ts");
    const { buildParts } = await import("./src/server/parts.ts");
    const { guardDescriptors } = await import("./src/server/stages.ts");
    const { config } = readConfig({ MAX_BUFFER_BYTES: "65536" });
    const stage = guardDescriptors(buildParts({ config, logger, version: "0.0.0" }));
    stage.start();
    const later = async () => {
      console.log("still running");
      await stage.stop(0);
    };
    setTimeout(later, 10).unref();`;

  const child = Bun.spawn([process.execPath, "-e", code], { cwd: ROOT, stderr: "inherit" });

  expect(await child.stdout.text()).toBe("still running\n");
  expect(await child.exited).toBe(0);
});

test("listeners are not paused while files can be opened", async () => {
  const { api, http, logger, isStarted, stop } = await startGuard();

  await pass(60_000);
  await stop(0);

  expect(isStarted).toBe(true);
  expect([api.calls, http.calls, logger.lines]).toEqual([[], [], []]);
});

test("without descriptors, listeners close idle connections and report a problem", async () => {
  const { api, http, logged, problems, stop } = await startGuard();

  {
    using _ = withoutDescriptors();
    await pass(DESCRIPTOR_CHECK_MS);
  }
  await stop(0);
  problems.close();

  expect([api.calls, http.calls, logged()]).toEqual([["relieve"], ["relieve"], []]);
  const noted = problems.totals().filter(({ count }) => count > 0);
  expect(noted).toMatchObject([
    { protocol: "http", reason: "out_of_descriptors", count: 1 },
    { protocol: "api", reason: "out_of_descriptors", count: 1 },
  ]);
});

test("listeners are then paused and resumed, and each step is logged", async () => {
  const { api, http, logged, problems, stop } = await paused();

  await pass(1_000);
  await stop(0);
  problems.close();

  const calls = ["relieve", "pause", "resume"];
  expect([api.calls, http.calls]).toEqual([calls, calls]);
  expect(logged()).toEqual([
    ["warning", "listening_paused", "api"],
    ["warning", "listening_paused", "http"],
    ["info", "listening_resumed", "api"],
    ["info", "listening_resumed", "http"],
  ]);
});

test("listeners that can hold connections back do so, and each step is logged", async () => {
  const { api, http, logger, problems, stop } = await startGuard();
  api.canHold = http.canHold = true;

  {
    using _ = withoutDescriptors();
    for (let tick = 0; tick < 61; tick += 1) await pass(DESCRIPTOR_CHECK_MS);
  }
  await pass(1_000);
  await stop(0);
  problems.close();

  const calls = ["hold", "pause", "resume"];
  expect([api.calls, http.calls]).toEqual([calls, calls]);
  const steps = logger.lines.filter(({ event }) => event === "listening_paused");
  expect(steps.map(({ fields }) => fields)).toEqual([
    { listener: "api", unused_connections: "kept" },
    { listener: "http", unused_connections: "kept" },
    { listener: "api", unused_connections: "closed" },
    { listener: "http", unused_connections: "closed" },
  ]);
});

test("a listener that is off is not resumed", async () => {
  const { api, http, problems, stop } = await paused({ OTLP_HTTP_PORT: "off" });

  await pass(1_000);
  await stop(0);
  problems.close();

  expect([api.calls, http.calls]).toEqual([["relieve", "pause", "resume"], []]);
});

test("a listener that cannot resume is logged with its remedy and tried again", async () => {
  const { api, logger, logged, problems, stop } = await paused();

  api.fault = Object.assign(new Error("taken"), { code: "EADDRINUSE" });
  await pass(1_000);
  await pass(1_000);
  await stop(0);
  problems.close();

  expect(api.calls).toEqual(["relieve", "pause", "resume"]);
  expect(logger.lines).toContainEqual({
    level: "error",
    event: "cannot_listen",
    fields: {
      listener: "api",
      host: "127.0.0.1",
      port: 4319,
      reason: "the port is in use",
      hint: "set API_PORT to another port, to 0 for any free one, or to off",
    },
  });
  expect(logged().at(-2)).toEqual(["info", "listening_resumed", "api"]);
});

test("an error in one check is logged, and the next check works", async () => {
  const { api, logger, problems, stop } = await startGuard();
  const error = new Error("unforeseen");

  {
    using _ = withoutDescriptors();
    api.fault = error;
    await pass(DESCRIPTOR_CHECK_MS);
    await pass(DESCRIPTOR_CHECK_MS);
  }
  await stop(0);
  problems.close();

  expect(logger.lines[0]).toEqual({ level: "error", event: "unexpected_error", fields: { error } });
  expect(api.calls).toEqual(["pause"]);
});

test("a stop waits for a listener that is resuming and ends the checks", async () => {
  const { api, problems, stop } = await paused();
  const listening = Promise.withResolvers<void>();
  api.resume = () => listening.promise;

  await pass(1_000);
  let isStopped = false;
  const stopped = stop(0).then(() => (isStopped = true));
  await pass(0);
  const wasStopped = isStopped;
  listening.resolve();
  await stopped;
  const { length } = api.calls;
  using _ = withoutDescriptors();
  await pass(60_000);
  problems.close();

  expect([wasStopped, isStopped]).toEqual([false, true]);
  expect(api.calls).toHaveLength(length);
});
