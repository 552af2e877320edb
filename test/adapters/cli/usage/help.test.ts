import { expect, test } from "bun:test";
import { ROUTES } from "../../../../src/adapters/read-api/routes.ts";
import { helpText, topicText } from "../../../../src/adapters/cli/usage/help.ts";
import { COLOURED, type Palette, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import {
  COMMAND_NAMES,
  COMMANDS,
  HELP_TOPICS,
} from "../../../../src/adapters/cli/usage/command-table.ts";
import { VARIABLE_NAMES, VARIABLES } from "../../../../src/config/variables.ts";

test.each(VARIABLE_NAMES)("the help describes %s with its default, meaning and bound", (name) => {
  const { unset, help, bound } = VARIABLES[name];

  const [, entry = ""] = topicText("environment", PLAIN).split(`\n  ${name}=${unset}\n`);
  const [meaning = ""] = entry.split(/\n {0,2}(?! )/);
  expect(meaning.trim().replaceAll(/\n +/g, " ")).toBe(`${help} (${bound})`);
});

test("the help fits a terminal of 80 columns and 24 lines", () => {
  const lines = helpText("1.2.3", PLAIN).split("\n");

  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.length).toBeLessThan(24);
});

test.each(HELP_TOPICS)("the help on %s fits 100 columns", (topic) => {
  const lines = topicText(topic, PLAIN).split("\n");

  expect(lines.filter((line) => line.length > 100)).toEqual([]);
});

test("the help lists every command and topic", () => {
  const help = helpText("1.2.3", PLAIN);

  for (const name of COMMAND_NAMES) {
    expect(help).toMatch(
      new RegExp(`^  spanring ${name} .*${RegExp.escape(COMMANDS[name].summary)}$`, "m"),
    );
  }
  expect(help).toContain(`spanring help TOPIC    ${HELP_TOPICS.join(", ")}\n`);
});

test.each([
  { name: "the help", textOf: (palette: Palette) => helpText("1.2.3", palette) },
  { name: "a topic", textOf: (palette: Palette) => topicText("environment", palette) },
])("colours do not change $name", ({ textOf }) => {
  expect(Bun.stripANSI(textOf(COLOURED))).toBe(textOf(PLAIN));
  expect(textOf(COLOURED)).not.toBe(textOf(PLAIN));
});

test.each(ROUTES.map(({ method, path }) => ({ method, path })))(
  "the help on ports lists $method $path",
  ({ method, path }) => {
    const { ports } = /^Ports\n(?<ports>[^]*?)\n\n/m.exec(
      `${topicText("ports", PLAIN)}\n`,
    )!.groups!;

    expect(ports).toContain(method);
    expect(` ${ports} `.split(/[\s,:]+/)).toContain(path);
  },
);

test("the topics list the exit codes, the signals and all ports", () => {
  const exits = topicText("exit-codes", PLAIN);
  const ports = topicText("ports", PLAIN);

  expect(exits).toMatch(/^ {2}0 +done/m);
  expect(exits).toMatch(/^ {2}1 +cannot run/m);
  expect(exits).toMatch(/^ {2}2 +the environment/m);
  expect(exits).toMatch(/^ {2}3 +a command cannot connect/m);
  expect(exits).toMatch(/^ {2}4 +cannot write to standard output/m);
  expect(exits).toMatch(/^ {2}130, 143 {2}a command was ended by Ctrl-C or SIGTERM/m);
  expect(exits).toMatch(/^ +a second signal .* a third exits at once, with 143 or 130$/m);
  expect(exits).toMatch(/^ {2}SIGTERM, SIGINT {2}stop/m);
  expect(ports).toMatch(/^ {2}4317 {2}OTLP/m);
  expect(ports).toMatch(/^ {2}4318 {2}OTLP\/HTTP/m);
  expect(ports).toMatch(/^ {2}4319 {2}the read API/m);
});
