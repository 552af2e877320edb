import { expect, test } from "bun:test";
import type { ListedProblem } from "../../../../src/adapters/cli/api/problems-answer.ts";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/render/palette.ts";
import { problemTable } from "../../../../src/adapters/cli/render/problem-table.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

// The time is shown as the machine's zone has it.
const now = Date.now();
const LAST = new Date(now - (now % 60_000) + 39_007).toISOString();

const problem = (parts: Partial<ListedProblem> = {}): ListedProblem => ({
  protocol: "http",
  reason: "too_large",
  address: "10.0.0.7",
  count: 3,
  last: LAST,
  detail: "more than 20 bytes",
  hint: "send less",
  ...parts,
});

test("a problem is when, where, who, what and why, and below it what to do", () => {
  const [heading, what, hint, ...others] = problemTable([problem()], 120, PLAIN);

  expect(heading).toBe("problems, newest first");
  expect(what).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:39\.007 http from 10\.0\.0\.7: 3 requests were larger than a limit/,
  );
  expect(what).toEndWith("larger than a limit: more than 20 bytes");
  expect(hint).toBe("  send less");
  expect(others).toEqual([]);
});

test("what is not known is left out", () => {
  const [, what] = problemTable(
    [problem({ address: undefined, detail: undefined, count: 1 })],
    120,
    PLAIN,
  );

  expect(what).toEndWith(" http: 1 request was larger than a limit");
});

test("a reason of a newer server is shown by its name", () => {
  for (const reason of ["brand_new", "toString"]) {
    const [, what] = problemTable([problem({ reason })], 120, PLAIN);
    expect(what).toContain(`: 3 x ${reason}: `);
  }
});

test("of many the newest five are shown, and how many there are beside them", () => {
  const many = Array.from({ length: 8 }, (_, at) => problem({ hint: `hint ${at}` }));

  const table = problemTable(many, 120, PLAIN);

  expect(table[0]).toBe("problems, newest first, and 3 more at /api/problems");
  expect(table.filter((line) => line.startsWith("  hint"))).toEqual(
    [0, 1, 2, 3, 4].map((at) => `  hint ${at}`),
  );
});

test("where there are none, there is no table", () => {
  expect(problemTable([], 80, PLAIN)).toEqual([]);
});

test("nothing is wider than the terminal, and nothing of a peer reaches it unescaped", () => {
  const hostile = { address: HOSTILE_NAME, protocol: HOSTILE_NAME, reason: HOSTILE_NAME };
  const texts = { detail: HOSTILE_NAME.repeat(9), hint: HOSTILE_NAME.repeat(9) };

  const table = problemTable([problem({ ...hostile, ...texts })], 40, PLAIN);

  expect(table.filter((line) => Bun.stringWidth(line) > 40)).toEqual([]);
  expect(table.join("")).not.toMatch(UNSAFE_TEXT);
});

test("what went wrong is painted, and what to do is faint", () => {
  const [heading, what, hint] = problemTable([problem()], 120, COLOURED);

  expect([heading, what, hint].map((line) => line?.slice(0, 5).replace("\u001B", ""))).toEqual([
    "[1mp",
    "[33m",
    "[2m ",
  ]);
});
