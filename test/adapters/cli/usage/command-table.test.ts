import { expect, test } from "bun:test";
import { commandHelp } from "../../../../src/adapters/cli/usage/command-help.ts";
import { helpText } from "../../../../src/adapters/cli/usage/help.ts";
import {
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  isCommandName,
  meaningIn,
  SERVE_OPTIONS,
} from "../../../../src/adapters/cli/usage/command-table.ts";
import {
  OPTION_NAMES,
  OPTIONS,
  optionUsage,
  DEFAULT_SPANS,
  DEFAULT_TRACES,
} from "../../../../src/adapters/cli/usage/option-table.ts";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { LIMIT, TRACE_LIMIT } from "../../../../src/adapters/read-api/parameter.ts";
import { CONDITION_NAMES } from "../../../../src/domain/query/span-filter.ts";

const API_FILTERS = CONDITION_NAMES.map((name) => name.replaceAll("_", "-"));

test("every option belongs to a command or to spanring itself", () => {
  const taken = new Set(COMMAND_NAMES.flatMap((name) => [...COMMANDS[name].options]));
  for (const name of SERVE_OPTIONS) taken.add(name);

  expect([...taken].toSorted()).toEqual([...OPTION_NAMES].toSorted());
});

test.each(COMMAND_NAMES)("the overview lists %s", (name) => {
  const { summary } = COMMANDS[name];
  const lines = helpText("1.2.3", PLAIN).split("\n");

  expect(lines.find((line) => line.startsWith(`  spanring ${name} `))).toEndWith(` ${summary}`);
});

test.each(COMMAND_NAMES)("spanring %s --help lists exactly the options of the command", (name) => {
  const help = commandHelp(name, PLAIN);

  const listed = [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, option]) => option);
  expect(listed).toEqual([...COMMANDS[name].options]);
  const unwrapped = help.replaceAll(/\n {20,}/g, " ");
  for (const option of COMMANDS[name].options) {
    expect(unwrapped).toContain(meaningIn(name, option));
  }
});

test.each(COMMAND_NAMES)("spanring %s --help fits 100 columns and lists exit codes", (name) => {
  const help = commandHelp(name, PLAIN);

  expect(help.split("\n").filter((line) => line.length > 100)).toEqual([]);
  expect(help).toMatch(/^ {2}0 {2}\S/m);
  expect(help).toMatch(/^ {2}2 {2}the command line is invalid/m);
  expect(/^ {2}4 {2}cannot write to standard output/m.test(help)).toBe(name !== "run");
});

/** Returns the commands whose help has this line about the codes of signals. */
function listing(meaning: string): string[] {
  const line = `\n  130, 143  ${meaning} Ctrl-C or SIGTERM\n`;
  return COMMAND_NAMES.filter((name) => commandHelp(name, PLAIN).includes(line));
}

test("the help lists 130 and 143, except for run, which ends with the code of its command", () => {
  const others = COMMAND_NAMES.filter((name) => name !== "tail" && name !== "run");

  expect(listing("ended by")).toEqual(others);
  expect(listing("ended at once by a second")).toEqual(["tail"]);
});

test.each(COMMAND_NAMES)(
  "no paragraph in the help of %s ends with a comma or a semicolon",
  (name) => {
    const broken = COMMANDS[name].details.filter((paragraph) => /[,;]$/.test(paragraph));

    expect(broken).toEqual([]);
  },
);

test.each(COMMAND_NAMES)("colours do not change the text of the help of %s", (name) => {
  const coloured = commandHelp(name, COLOURED);

  expect(Bun.stripANSI(coloured)).toBe(commandHelp(name, PLAIN));
  expect(coloured).not.toBe(commandHelp(name, PLAIN));
});

test.each(["get", "tail", "traces", "wait"] as const)("%s accepts every filter", (name) => {
  expect(COMMANDS[name].options).toEqual(expect.arrayContaining(API_FILTERS));
});

test("examples use only options of their commands", () => {
  const examples = COMMAND_NAMES.flatMap((name) => COMMANDS[name].examples);
  const uses = examples.flatMap((example) => [...example.matchAll(/spanring ([a-z]+)([^|;]*)/g)]);

  const wrong = uses.filter(([, name, rest = ""]) => {
    const known: readonly string[] = COMMANDS[name as CommandName].options;
    return [...rest.matchAll(/ --([a-z-]+)/g)].some(([, option]) => !known.includes(option!));
  });

  expect(uses.length).toBeGreaterThanOrEqual(examples.length);
  expect(wrong).toEqual([]);
});

test("the limits in the help equal those of the read API", () => {
  const unset = [LIMIT, TRACE_LIMIT].map((parameter) => parameter.schema["default"]);

  expect(unset).toEqual([DEFAULT_SPANS, DEFAULT_TRACES]);
  expect(commandHelp("get", PLAIN)).toContain("maximum number (default 1000;");
});

test("inherited property names are not commands", () => {
  expect(isCommandName("toString")).toBe(false);
});

test("the usage of an option includes its value unless it is a switch", () => {
  expect(optionUsage("limit")).toBe("--limit N");
  expect(optionUsage("json")).toBe("--json");
});

test("only send, which reads topics, says that --since selects messages", () => {
  const takers = COMMAND_NAMES.filter((name) => COMMANDS[name].options.includes("since"));
  const saying = takers.filter((name) => commandHelp(name, PLAIN).includes("messages written at"));

  expect(takers.length).toBeGreaterThan(1);
  expect(saying).toEqual(["send"]);
  expect(meaningIn("get", "since")).toBe(OPTIONS.since.meaning);
});
