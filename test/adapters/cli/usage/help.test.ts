import { expect, test } from "bun:test";
import { ROUTES } from "../../../../src/adapters/read-api/routes.ts";
import { helpText } from "../../../../src/adapters/cli/usage/help.ts";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { VARIABLE_NAMES, VARIABLES } from "../../../../src/config/variables.ts";

test.each(VARIABLE_NAMES)("the help describes %s with its default, meaning and bound", (name) => {
  const { unset, help, bound } = VARIABLES[name];

  const [, entry = ""] = helpText("1.2.3", PLAIN).split(`\n  ${name}=${unset}\n`);
  const [meaning = ""] = entry.split(/\n {0,2}(?! )/);
  expect(meaning.trim().replaceAll(/\n +/g, " ")).toBe(`${help} (${bound})`);
});

test("the help fits 100 columns", () => {
  const tooLong = helpText("1.2.3", PLAIN)
    .split("\n")
    .filter((line) => line.length > 100);

  expect(tooLong).toEqual([]);
});

test("colours do not change the text", () => {
  const coloured = helpText("1.2.3", COLOURED);

  expect(Bun.stripANSI(coloured)).toBe(helpText("1.2.3", PLAIN));
  expect(coloured).not.toBe(helpText("1.2.3", PLAIN));
});

test.each(ROUTES.map(({ method, path }) => ({ method, path })))(
  "the help lists $method $path",
  ({ method, path }) => {
    const { ports } = /^Ports\n(?<ports>[^]*?)\n\n/m.exec(helpText("1.2.3", PLAIN))!.groups!;

    expect(ports).toContain(method);
    expect(` ${ports} `.split(/[\s,:]+/)).toContain(path);
  },
);

test("the help lists the exit codes and all ports", () => {
  const help = helpText("1.2.3", PLAIN);

  expect(help).toMatch(/^ {2}0 {2}done/m);
  expect(help).toMatch(/^ {2}1 {2}cannot run/m);
  expect(help).toMatch(/^ {2}2 {2}the environment/m);
  expect(help).toMatch(/^ {2}3 {2}a command cannot connect/m);
  expect(help).toMatch(/^ {2}4 {2}cannot write to standard output/m);
  expect(help).toMatch(/^ {2}4317 {2}OTLP/m);
  expect(help).toMatch(/^ {2}4318 {2}OTLP\/HTTP/m);
  expect(help).toMatch(/^ {2}4319 {2}the read API/m);
});
