import { describe, expect, test } from "bun:test";
import {
  readArguments,
  readCommandArguments,
} from "../../../../src/adapters/cli/usage/arguments.ts";
import type { CommandName } from "../../../../src/adapters/cli/usage/command-table.ts";

function read(line: string | readonly string[], command: CommandName = "get") {
  return readCommandArguments(command, typeof line === "string" ? line.split(" ") : line);
}

test("options keep their order, and repeated attributes are all kept", () => {
  const reading = read("--status error --attribute a=1 --name x --attribute b=2=3 --json");

  expect(reading).toEqual({
    options: [
      { name: "status", value: "error" },
      { name: "attribute", value: "a=1" },
      { name: "name", value: "x" },
      { name: "attribute", value: "b=2=3" },
      { name: "json", value: "true" },
    ],
    operands: [],
  });
});

test.each([
  { line: ["--name=GET /"], value: "GET /" },
  { line: ["--name", "GET /"], value: "GET /" },
  { line: ["--name="], value: "" },
  { line: ["--name=--x"], value: "--x" },
])("$line sets the name to $value", ({ line, value }) => {
  expect(read(line)).toMatchObject({ options: [{ name: "name", value }] });
});

test.each([
  { line: "-", operands: ["-"] },
  { line: "a b", operands: ["a", "b"] },
  { line: "-- --pace", operands: ["--pace"] },
])("send $line has the operands $operands", ({ line, operands }) => {
  expect(read(line, "send")).toEqual({ options: [], operands });
});

test.each([
  { line: "f --pace", pace: "1x", operands: ["f"] },
  { line: "--pace f", pace: "1x", operands: ["f"] },
  { line: "--pace 10x f", pace: "10x", operands: ["f"] },
  { line: "f --pace=0.5x", pace: "0.5x", operands: ["f"] },
])("send $line sets the pace to $pace", ({ line, pace, operands }) => {
  expect(read(line, "send")).toEqual({ options: [{ name: "pace", value: pace }], operands });
});

test.each([
  { line: "--nmae x", mistake: 'unknown option "--nmae"; did you mean --name?' },
  {
    line: "--min_duration 1s",
    mistake: 'unknown option "--min_duration"; did you mean --min-duration?',
  },
  { line: "-x", mistake: 'unknown option "-x"' },
  { line: "--xyzzyqqq", mistake: 'unknown option "--xyzzyqqq"' },
  { line: "--\u001b[2J", mistake: String.raw`unknown option "--\x1b[2J"` },
  { line: "--count 1", mistake: "get does not accept --count; it belongs to wait" },
  { line: "--version", mistake: "get does not accept --version; only spanring itself accepts it" },
  { line: "--name", mistake: "--name needs a value: --name NAME" },
  {
    line: "--name --json",
    mistake: "--name needs a value: --name NAME, or --name=VALUE for one that begins with -",
  },
  { line: "--json=yes", mistake: "--json takes no value" },
  { line: "--name a --name b", mistake: "--name is given more than once" },
  { line: "a", mistake: 'unexpected argument "a": get takes only options' },
])("get $line is refused: $mistake", ({ line, mistake }) => {
  expect(read(line)).toEqual({ mistake });
});

test.each([
  { command: "log", line: [], mistake: "DIR is missing" },
  { command: "completions", line: [], mistake: "SHELL is missing" },
  {
    command: "traces",
    line: ["a", "b"],
    mistake: 'unexpected argument "b": traces takes [TRACE_ID] and options',
  },
] as const)("$command is refused: $mistake", ({ command, line, mistake }) => {
  expect(read(line, command)).toEqual({ mistake });
});

describe("the command to run", () => {
  test.each([
    { argv: ["--", "npm", "test", "--", "--junit", "x"], operands: 5 },
    { argv: ["--settle", "2s", "--", "a"], operands: 1 },
  ])("follows --: %p", ({ argv, operands }) => {
    expect(readCommandArguments("run", argv)).toMatchObject({
      operands: argv.slice(-operands),
    });
  });

  test.each([
    { argv: ["npm", "test", "--junit", "x"], first: "npm" },
    { argv: ["npm", "--", "test"], first: "npm" },
    { argv: ["node", "app.js", "--port", "3"], first: "node" },
  ])("must follow --: %p", ({ argv, first }) => {
    expect(readCommandArguments("run", argv)).toEqual({
      mistake: `"${first}" must follow --: spanring run [OPTIONS] -- COMMAND...`,
    });
  });
});

describe("spanring without a command", () => {
  test.each([
    { argv: [], readyFile: undefined, printsEnv: false },
    { argv: ["--print-env"], readyFile: undefined, printsEnv: true },
    { argv: ["--ready-file", "r", "--print-env"], readyFile: "r", printsEnv: true },
    { argv: ["--print-env", "--ready-file=a b"], readyFile: "a b", printsEnv: true },
    { argv: ["--ready-file=--x"], readyFile: "--x", printsEnv: false },
  ])("serves with $argv", ({ argv, ...announcement }) => {
    expect(readArguments(argv)).toEqual({ command: "serve", ...announcement });
  });

  test.each([
    { argv: ["--ready-file"], mistake: "--ready-file needs a value: --ready-file FILE" },
    { argv: ["--ready-file="], mistake: "--ready-file needs a value: --ready-file FILE" },
    {
      argv: ["--ready-file", "--print-env"],
      mistake: "--ready-file needs a value: --ready-file FILE",
    },
    {
      argv: ["--ready-file", "a", "--ready-file=b"],
      mistake: "--ready-file is given more than once",
    },
  ])("refuses $argv", ({ argv, mistake }) => {
    expect(readArguments(argv)).toEqual({ command: "mistake", mistake });
  });

  test("does what is harmless, whatever else is given", () => {
    expect(readArguments(["--ready-file", "r", "--check"])).toEqual({ command: "check" });
    expect(readArguments(["--ready-file", "--help"])).toEqual({ command: "help" });
  });

  test("does not know an argument after the file", () => {
    const argument = "more";

    expect(readArguments(["--ready-file", "r", argument])).toEqual({
      command: "unknown",
      argument,
    });
  });
});
