import { expect, test } from "bun:test";
import { readAttackArguments } from "./attack-arguments.ts";

const KNOWN = ["one", "two"];

test.each([
  { argv: ["two"], names: ["two"], seconds: 10, asJson: false },
  { argv: ["two", "one", "two"], names: ["two", "one"], seconds: 10, asJson: false },
  { argv: ["--all", "--seconds", "3600"], names: KNOWN, seconds: 3600, asJson: false },
  { argv: ["one", "--json", "--seconds=1"], names: ["one"], seconds: 1, asJson: true },
])("$argv selects the attacks $names", ({ argv, ...rest }) => {
  expect(readAttackArguments(argv, KNOWN)).toEqual({ command: "run", ...rest });
});

test.each([
  { argv: [], complaint: "name at least one attack, or use --all" },
  { argv: ["--all", "one"], complaint: "names of attacks and --all cannot be combined" },
  { argv: ["three"], complaint: 'unknown attack "three"' },
  { argv: ["one", "--seconds", "0"], complaint: "whole number from 1 to 3600" },
  { argv: ["one", "--seconds", "3601"], complaint: "whole number from 1 to 3600" },
  { argv: ["one", "--seconds", "1.5"], complaint: "whole number from 1 to 3600" },
  { argv: ["--fast"], complaint: "--fast" },
])("$argv is refused: $complaint", ({ argv, complaint }) => {
  expect(readAttackArguments(argv, KNOWN)).toEqual({
    command: "unusable",
    complaint: expect.stringContaining(complaint),
  });
});
