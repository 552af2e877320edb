import { expect, test } from "bun:test";
import type { ForwardAnswer } from "../../../../src/adapters/cli/api/forward-answer.ts";
import { forwardTable } from "../../../../src/adapters/cli/render/forward-table.ts";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/render/palette.ts";
import { widthOf } from "../../../../src/adapters/cli/render/text-columns.ts";
import { forwardAnswer } from "../../../support/fakes/forward-answer.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

const lines = (parts: Partial<ForwardAnswer> = {}) =>
  forwardTable({ ...forwardAnswer(), ...parts }, 80, PLAIN);

const TIME = "2026-11-24T13:04:39.007Z";

/** The lines whose names are painted with this colour. */
function painted(colour: number, parts: Partial<ForwardAnswer> = {}): string[] {
  const table = forwardTable({ ...forwardAnswer(), ...parts }, 80, COLOURED);
  const inColour = table.filter((line) => line.startsWith(`\u001b[${colour}m`));
  return inColour.map((line) => Bun.stripANSI(line).split("  ")[0]!);
}

test("an upstream that is gone is told of with the next try, the losses and the last error", () => {
  // The time is shown as the machine's zone has it.
  const now = Date.now();
  const time = new Date(now - (now % 60_000) + 39_007).toISOString();
  const last_error = { message: "UNAVAILABLE: no route", time };

  expect(lines({ last_error })).toEqual([
    "forwards to    grpcs://collector:4317",
    "state          backing off, next try in 1.24 s",
    "rate           1,235 spans/s",
    "lag            4.20 s",
    "in flight      1,028 spans in 2 batches",
    "batches        21 delivered, 22 partly_rejected, 23 retry",
    "given back     27 spans",
    "undeliverable  24 invalid, 25 too_large, 26 rejected",
    expect.stringMatching(
      /^last error     \d{4}-\d\d-\d\d \d\d:\d\d:39\.007: UNAVAILABLE: no route$/,
    ),
  ]);
});

test("one that nothing was sent to yet has nothing to tell", () => {
  const calm = {
    state: "untried",
    spans_per_second: 0,
    lag_seconds: 0,
    in_flight: { batches: 1, spans: 1 },
    retried_spans: 0,
    undeliverable: { invalid: 0 },
    batches: {},
    last_error: undefined,
  };

  expect(lines(calm).slice(1)).toEqual([
    "state          nothing sent yet",
    "rate           0 spans/s",
    "lag            none",
    "in flight      1 span in 1 batch",
    "batches        none",
    "given back     0 spans",
    "undeliverable  none",
    "last error     none",
  ]);
});

test.each([
  { state: "connected", told: "connected" },
  { state: "backing_off", retry_in_ms: 0, told: "backing off, trying again" },
  { state: "blocked", retry_in_ms: 0, told: "blocked: the upstream refuses, trying again" },
  { state: "backing_off", retry_in_ms: 90_000, told: "backing off, next try in 1 m 30 s" },
  { state: "drowned", told: "drowned" },
])("$state, with a try in $retry_in_ms ms, is told as: $told", ({ told, ...parts }) => {
  expect(lines(parts)[1]).toBe(`state          ${told}`);
});

test("what to do about it is told as long as it fails", () => {
  const last_error = { message: "401: no", hint: "check the token\u001b[2J", time: TIME };

  const [told, later] = ["blocked", "connected"].map((state) => lines({ state, last_error }));

  expect(told!.at(-1)).toBe("to do          check the token\\x1b[2J");
  expect(later!.at(-1)).toStartWith("last error");
});

test("an outage has the colour of errors, and what will never arrive that of losses", () => {
  expect(painted(31)).toEqual(["state"]);
  expect(painted(31, { state: "connected" })).toEqual([]);
  expect(painted(33)).toEqual(["undeliverable"]);
  expect(painted(33, { undeliverable: { invalid: 0 } })).toEqual([]);
});

test("nothing is wider than the terminal, and no word of an error is lost", () => {
  const message = `UNAVAILABLE: ${"word ".repeat(30)}${"x".repeat(90)}`;
  const endpoint = `https://collector:443/${"y".repeat(120)}`;
  const time = "2026-11-24T13:04:39.007Z";

  const table = lines({ endpoint, last_error: { message, time } });

  expect(table.filter((line) => widthOf(line) > 80)).toEqual([]);
  const told = table.map((line) => line.slice(15)).join("");
  expect(told.replaceAll(" ", "")).toContain(message.replaceAll(" ", ""));
  expect(told).toContain(endpoint);
});

test("text of the server cannot do anything to the terminal", () => {
  const table = lines({
    endpoint: HOSTILE_NAME,
    state: HOSTILE_NAME,
    batches: { [HOSTILE_NAME]: 1 },
    last_error: { message: HOSTILE_NAME, time: "2026-11-24T13:04:39Z" },
  });

  expect(table.join("")).not.toMatch(UNSAFE_TEXT);
});
