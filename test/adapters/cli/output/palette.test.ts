import { expect, test } from "bun:test";
import {
  COLOURED,
  paletteFor,
  PLAIN,
  serviceColours,
} from "../../../../src/adapters/cli/output/palette.ts";

test.each([
  { isTerminal: true, env: {}, palette: COLOURED },
  { isTerminal: true, env: { NO_COLOR: "" }, palette: COLOURED },
  { isTerminal: true, env: { NO_COLOR: "1" }, palette: PLAIN },
  { isTerminal: true, env: { TERM: "dumb" }, palette: PLAIN },
  { isTerminal: true, env: { TERM: "xterm" }, palette: COLOURED },
  { isTerminal: false, env: {}, palette: PLAIN },
])(
  "colours depend on the terminal and NO_COLOR: terminal $isTerminal, $env",
  ({ isTerminal, env, palette }) => {
    expect(paletteFor({ isTerminal }, env)).toBe(palette);
  },
);

test("each service has its own colour, and keeps it", () => {
  const colourOf = serviceColours(COLOURED);
  const names = ["shop", "db", "auth", "cache"];

  const first = names.map((name) => colourOf(name)("x"));
  const second = names.map((name) => colourOf(name)("x"));

  expect(new Set(first).size).toBe(4);
  expect(second).toEqual(first);
});

test("the number of remembered services is bounded", () => {
  const colourOf = serviceColours(COLOURED);

  const paints = Array.from({ length: 5000 }, (_, at) => colourOf(`service ${at}`));

  // All services after the last remembered one share a colour.
  expect(new Set(paints.slice(1024)).size).toBe(1);
});

test("an empty text is not wrapped in colour codes", () => {
  expect(COLOURED.bad("")).toBe("");
});
