import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { logUnforeseen } from "../../../src/adapters/logging/unforeseen-events.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

test.each([
  { event: "uncaughtException", name: "an error", given: new Error("a fault") },
  { event: "unhandledRejection", name: "an error", given: new Error("a fault") },
  { event: "unhandledRejection", name: "a text", given: "a fault" },
])("$event of $name is logged as an error", ({ event, given }) => {
  const process = new EventEmitter();
  const logger = new RecordingLogger();
  logUnforeseen(process, logger, new HandMovedClock());

  process.emit(event, given);

  expect(logger.lines).toEqual([
    {
      level: "error",
      event: "unexpected_error",
      fields: { count: 1, error: new Error("a fault") },
    },
  ]);
});

test("a warning of the runtime is logged as a warning, and not printed", () => {
  const process = new EventEmitter();
  const printed: unknown[] = [];
  process.on("warning", (warning) => printed.push(warning));
  const logger = new RecordingLogger();
  logUnforeseen(process, logger, new HandMovedClock());
  const warning = Object.assign(new Error("-5 is\nnegative"), { name: "TimeoutNegativeWarning" });

  process.emit("warning", warning);

  expect(printed).toEqual([]);
  expect(logger.lines).toEqual([
    { level: "warning", event: "runtime_warning", fields: { count: 1, warning } },
  ]);
});

test("repeated events are logged once, and counted in the last line", () => {
  const process = new EventEmitter();
  const logger = new RecordingLogger();
  const unforeseen = logUnforeseen(process, logger, new HandMovedClock());

  for (let at = 0; at < 5; at += 1) process.emit("warning", new Error(`warning ${at}`));
  const before = logger.lines.length;
  unforeseen.close();

  expect(before).toBe(1);
  expect(logger.lines.map(({ fields }) => fields)).toEqual([
    { count: 1, warning: new Error("warning 0") },
    { count: 4, warning: new Error("warning 4") },
  ]);
});

const LOGGING = join(import.meta.dir, "../../../src/adapters/logging");

// Goal: standard error carries JSON only.
// Method: a process does everything that makes the runtime print plain text.
test("messages of the runtime appear on standard error only as JSON", async () => {
  const script = `
    import { EventEmitter } from "node:events";
    import { deprecate } from "node:util";
    import { SYSTEM_CLOCK } from "${LOGGING}/../clock/system-clock.ts";
    import { LineWriter } from "${LOGGING}/pino-logger.ts";
    import { createLogger } from "${LOGGING}/pino-logger.ts";
    import { logUnforeseen } from "${LOGGING}/unforeseen-events.ts";
    const lines = new LineWriter(2);
    const unforeseen = logUnforeseen(process, createLogger("INFO", lines), SYSTEM_CLOCK);
    process.emitWarning("first");
    setTimeout(() => {}, -5);
    setTimeout(() => {}, 2 ** 40).unref();
    const emitter = new EventEmitter();
    for (let at = 0; at < 12; at += 1) emitter.on("x", () => {});
    deprecate(() => {}, "old")();
    Promise.reject(new Error("rejected"));
    queueMicrotask(() => { throw new Error("thrown"); });
    setTimeout(async () => { unforeseen.close(); await lines.flush(); }, 1);
  `;

  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  const [stderr, exitCode] = [await child.stderr.text(), await child.exited];
  const logged = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

  expect(exitCode).toBe(0);
  const timesOf = (wanted: string) =>
    logged.reduce((sum, { event, count }) => (event === wanted ? sum + count : sum), 0);
  expect([timesOf("runtime_warning"), timesOf("unexpected_error")]).toEqual([5, 2]);
});
