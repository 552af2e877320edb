import { expect, test } from "bun:test";
import { createTextLogger } from "../../../src/adapters/logging/text-logger.ts";
import { UNSAFE_TEXT } from "../../support/requests/shown-spans.ts";

const LEVELS = ["debug", "info", "warning", "error"] as const;

function logged(level: Parameters<typeof createTextLogger>[0], hidden?: ReadonlySet<string>) {
  const lines: string[] = [];
  const logger = createTextLogger(level, { write: (line) => void lines.push(line) }, hidden);
  return { lines, logger };
}

test("an event is a line with the time, the level, its name and its fields", () => {
  const { lines, logger } = logged("INFO");

  logger.warning("configuration", { variable: "API_HOST", count: 2, message: "two words" });
  logger.info("ready");

  expect(lines).toEqual([
    expect.stringMatching(
      /^\d\d:\d\d:\d\d WARNING configuration variable=API_HOST count=2 message="two words"\n$/,
    ),
    expect.stringMatching(/^\d\d:\d\d:\d\d INFO {4}ready\n$/),
  ]);
});

test.each([
  { level: "DEBUG", shown: 4 },
  { level: "INFO", shown: 3 },
  { level: "WARNING", shown: 2 },
  { level: "ERROR", shown: 1 },
] as const)("at $level, $shown of the levels are written", ({ level, shown }) => {
  const { lines, logger } = logged(level);

  for (const each of LEVELS) logger[each]("event");

  const words = lines.map((line) => line.split(" ")[1]?.toLowerCase());
  expect(words).toEqual(LEVELS.slice(-shown));
});

test("hidden events are not written at INFO, but as warnings and errors", () => {
  const { lines, logger } = logged("DEBUG", new Set(["listening"]));

  for (const each of LEVELS) logger[each]("listening");

  expect(lines.map((line) => line.split(" ")[1])).toEqual(["DEBUG", "WARNING", "ERROR"]);
});

test.each([
  { value: "", text: '""' },
  { value: 'say "x"', text: String.raw`"say \"x\""` },
  { value: "a=b", text: '"a=b"' },
  { value: [{ a: 1 }], text: '[{"a":1}]' },
  { value: new Error("broken"), text: '"Error: broken"' },
  { value: null, text: "null" },
])("the value $value is written as $text", ({ value, text }) => {
  const { lines, logger } = logged("INFO");

  logger.info("event", { field: value, absent: undefined });

  expect(lines[0]).toEndWith(` event field=${text}\n`);
});

test("the members of objects are fields of their own, and lists stay as they are", () => {
  const { lines, logger } = logged("INFO");

  logger.info("stopped", { spans: { received: 3, by: { a: "x y" } }, none: {}, list: [1, 2] });

  expect(lines[0]).toEndWith(' stopped spans.received=3 spans.by.a="x y" list=[1,2]\n');
});

test.each([
  { event: "stopped", text: "spans.taken=2" },
  { event: "event", text: "spans.received=0 spans.taken=2" },
])("$event shows of the members $text, and fields that are 0", ({ event, text }) => {
  const { lines, logger } = logged("INFO");

  logger.info(event, { spans: { received: 0, taken: 2 }, outage_ms: 0 });

  expect(lines[0]).toEndWith(` ${event} ${text} outage_ms=0\n`);
});

test("control characters in the name of a member never reach the terminal", () => {
  const { lines, logger } = logged("INFO");

  logger.info("event", { field: { "\u001b[2J\n": 1 } });

  expect(lines[0]).not.toMatch(UNSAFE_TEXT);
  expect(lines[0]!.split("\n")).toHaveLength(2);
});

test("control characters never reach the terminal", () => {
  const { lines, logger } = logged("INFO");

  logger.info("event", { field: "\u001b[2J\u202e\u009b31m\nforged", other: "\u2028" });

  expect(lines[0]).not.toMatch(UNSAFE_TEXT);
  expect(lines[0]!.split("\n")).toHaveLength(2);
});
