import { expect, test } from "bun:test";
import {
  createLogger,
  type LogLevel,
  LineWriter,
} from "../../../src/adapters/logging/pino-logger.ts";
import type { Logger } from "../../../src/ports/logger.ts";
import { closeSync, constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

function loggerWithLines(level: LogLevel = "DEBUG"): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line) => lines.push(line) });
  return { logger, lines };
}

/** Returns the line without its time, so that the rest can be compared. */
function withoutTime(line: string | undefined): string | undefined {
  return line?.replace(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, '"time":""');
}

test("a line has the time, the level, the event and the fields in their order", () => {
  const { logger, lines } = loggerWithLines();

  logger.info("listening", { port: 4317, addresses: ["::1"] });

  expect(lines.map(withoutTime)).toEqual([
    '{"time":"","level":"INFO","event":"listening","port":4317,"addresses":["::1"]}\n',
  ]);
});

test("the time of a line is the current time in UTC", () => {
  const { logger, lines } = loggerWithLines();
  const before = Date.now();

  logger.info("stopped");

  const { time } = JSON.parse(lines[0] ?? "") as { time: string };
  expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
});

test.each([
  { level: "DEBUG", logged: ["DEBUG", "INFO", "WARNING", "ERROR"] },
  { level: "INFO", logged: ["INFO", "WARNING", "ERROR"] },
  { level: "WARNING", logged: ["WARNING", "ERROR"] },
  { level: "ERROR", logged: ["ERROR"] },
] as const)("$level writes the levels $logged", ({ level, logged }) => {
  const { logger, lines } = loggerWithLines(level);

  logger.debug("tick");
  logger.info("tick");
  logger.warning("tick");
  logger.error("tick");

  const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
  expect(levels).toEqual([...logged]);
});

test.each([
  { name: "an undefined field is omitted", value: undefined, json: "" },
  {
    name: "a big integer is written as a number",
    value: 2n ** 63n,
    json: ',"x":9223372036854775808',
  },
  { name: "NaN is written as null", value: Number.NaN, json: ',"x":null' },
  {
    name: "an error is written as its escaped name and message",
    value: new RangeError("bad\u001b[0m"),
    json: String.raw`,"x":"RangeError: bad\\x1b[0m"`,
  },
  { name: "a line feed is escaped", value: "a\nb", json: String.raw`,"x":"a\nb"` },
])("$name", ({ value, json }) => {
  const { logger, lines } = loggerWithLines();

  logger.error("failed", { x: value });

  expect(lines.map(withoutTime)).toEqual([`{"time":"","level":"ERROR","event":"failed"${json}}\n`]);
});

test("a circular field does not throw", () => {
  const { logger, lines } = loggerWithLines();
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;

  logger.info("odd", { circle });

  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "odd" });
});

test("fields cannot replace the time, the level and the event", () => {
  const { logger, lines } = loggerWithLines();

  logger.warning("evicting", { time: "never", level: "INFO", event: "nothing", spans: 3 });

  expect(lines.map(withoutTime)).toEqual([
    '{"time":"","level":"WARNING","event":"evicting","spans":3}\n',
  ]);
});

test("format codes in an event are written unchanged", () => {
  const { logger, lines } = loggerWithLines();

  logger.info("%s %d %j");

  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "%s %d %j" });
});

const folder = temporaryFolder();

test("all lines are written in order", async () => {
  const path = join(folder, "written");
  const fileDescriptor = openSync(path, "w");
  const writer = new LineWriter(fileDescriptor);
  const logger = createLogger("INFO", writer);

  for (let count = 0; count < 1000; count += 1) logger.info("evicting", { count });
  await writer.flush();
  const lines = readFileSync(path, "utf8").split("\n");

  closeSync(fileDescriptor);
  expect(lines).toHaveLength(1001);
  expect(lines.at(-2)).toEndWith('"event":"evicting","count":999}');
});

test("a file that refuses bytes loses the lines without an error", async () => {
  const path = join(folder, "read-only");
  writeFileSync(path, "");
  const fileDescriptor = openSync(path, "r");
  const writer = new LineWriter(fileDescriptor);

  writer.write("lost\n");
  await writer.flush();

  closeSync(fileDescriptor);
  expect(readFileSync(path, "utf8")).toBe("");
});

test("a full pipe keeps 1 MiB of lines, drops the rest, and does not block", async () => {
  const path = join(folder, "paused");
  Bun.spawnSync(["mkfifo", path]);
  // Also opened for reading: otherwise open() would wait for a reader.
  const fileDescriptor = openSync(path, constants.O_RDWR);
  const writer = new LineWriter(fileDescriptor);
  const line = `${"x".repeat(1023)}\n`;

  for (let count = 0; count < 4096; count += 1) writer.write(line);
  const reader = Bun.spawn(["head", "-c", String(1024 * 1024), path]);
  const text = await new Response(reader.stdout).text();
  await writer.flush();

  closeSync(fileDescriptor);
  expect(text).toBe(line.repeat(1024));
});

test("a reader that closes the pipe does not stop the program", async () => {
  const program = join(import.meta.dir, "../../support/processes/log-into-broken-pipe.ts");
  // `:` exits at once, which closes the only reading end of standard error.
  const shell = 'exec 3>&1; { "$0" "$1" 2>&1 >&3; echo " $?" >&3; } | :';

  const child = Bun.spawn(["sh", "-c", shell, process.execPath, program]);

  expect(await new Response(child.stdout).text()).toBe("alive 0\n");
});
