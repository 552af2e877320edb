import { expect, test } from "bun:test";
import { readBenchArguments } from "./bench-arguments.ts";

const KNOWN = ["walk", "append"];

test("without arguments, every case runs in five rounds", () => {
  expect(readBenchArguments([], KNOWN)).toEqual({
    command: "run",
    names: KNOWN,
    rounds: 5,
    isShort: false,
    asJson: false,
  });
});

test("names and options may have any order, and repeated names count once", () => {
  const request = readBenchArguments(
    ["append", "--json", "append", "--rounds=3", "--short"],
    KNOWN,
  );

  expect(request).toEqual({
    command: "run",
    names: ["append"],
    rounds: 3,
    isShort: true,
    asJson: true,
  });
});

test.each([
  { argv: ["--help", "--rounds", "none"], command: "help" },
  { argv: ["-h"], command: "help" },
  { argv: ["--list"], command: "list" },
] as const)("$argv selects the command $command", ({ argv, command }) => {
  expect(readBenchArguments(argv, KNOWN)).toEqual({ command });
});

test("an unknown case is reported with the known ones", () => {
  expect(readBenchArguments(["walk", "wlak"], KNOWN)).toEqual({
    command: "unusable",
    complaint: 'unknown case "wlak"; known: walk, append',
  });
});

test.each(["0", "-1", "1.5", "1001", "", "five"])("--rounds=%s is refused", (rounds) => {
  expect(readBenchArguments([`--rounds=${rounds}`], KNOWN)).toEqual({
    command: "unusable",
    complaint: "--rounds takes a whole number from 1 to 1000",
  });
});

test("an unknown option is refused", () => {
  expect(readBenchArguments(["--fast"], KNOWN).command).toBe("unusable");
});
