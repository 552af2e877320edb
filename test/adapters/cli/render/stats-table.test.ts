import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import {
  type ForwardAnswer,
  forwardTable,
  type ListedProblem,
  problemTable,
  statsTable,
} from "../../../../src/adapters/cli/render/stats-table.ts";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { ledgerOf } from "../../../support/oracles/ledger-of.ts";
import { widthOf } from "../../../../src/adapters/cli/output/text-columns.ts";
import { forwardAnswer } from "../../../support/fakes/forward-answer.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

const LEDGER = { received: 12_345, rejected: 3, accepted: 12_342, buffered: 10_000 };
const STATS = {
  spans: ledgerOf({ ...LEDGER, evicted: 2342 }),
  bytes: ledgerOf({ ...LEDGER, buffered: 3_700_000, evicted: 453 }),
  capacity: { spans: 10_000, bytes: 67_108_864 },
  sequence: { run_id: "3f9a0c5e7b21d804", first: 2343, next: 12_343 },
  exporters: exporterCounts(),
  uptime_seconds: 11_234.5,
  version: "1.2.3",
};

test("the ledger is displayed in spans and in bytes", () => {
  expect(statsTable(STATS, "http://127.0.0.1:4319", PLAIN)).toEqual([
    "spanring 1.2.3 at http://127.0.0.1:4319, up 3 h 07 m",
    "",
    "                 SPANS     BYTES",
    "received        12,345  12.1 KiB",
    "rejected             3       3 B",
    "accepted        12,342  12.1 KiB",
    "buffered        10,000  3.53 MiB",
    "taken                0       0 B",
    "delivered            0       0 B",
    "evicted          2,342     453 B",
    "undeliverable        0       0 B",
    "",
    "capacity        10,000  64.0 MiB",
    "in use         100.0 %     5.5 %",
    "",
    "next sequence 12,343, oldest buffered 2,343",
    "run 3f9a0c5e7b21d804",
  ]);
});

test("spans evicted in flight use no slot, although the ledger has them as buffered", () => {
  const spans = ledgerOf({ ...LEDGER, buffered: 10_400, evicted: 1942 });
  const bytes = ledgerOf({ ...LEDGER, buffered: 70_000_000 });

  const rows = statsTable({ ...STATS, spans, bytes }, "x", PLAIN);

  expect(rows).toContainEqual(expect.stringMatching(/^buffered +10,400 +66\.8 MiB$/));
  expect(rows).toContainEqual(expect.stringMatching(/^in use +100\.0 % +100\.0 %$/));
});

test("a slot behind an older buffered span is in use", () => {
  const sequence = { ...STATS.sequence, first: 12_000, next: 17_000 };

  const rows = statsTable({ ...STATS, sequence, spans: ledgerOf() }, "x", PLAIN);

  expect(rows).toContainEqual(expect.stringMatching(/^in use +50\.0 % /));
});

test("losses are highlighted if they are not zero", () => {
  const lossy = { ...STATS, spans: { ...STATS.spans, undeliverable: 1 } };
  const marked = statsTable(lossy, "x", COLOURED).filter((line) => line.startsWith("\u001b[33m"));
  const none = { ...STATS, spans: { ...STATS.spans, rejected: 0, evicted: 0, undeliverable: 0 } };

  expect(marked.map((line) => Bun.stripANSI(line).split(" ")[0])).toEqual([
    "rejected",
    "evicted",
    "undeliverable",
  ]);
  expect(statsTable(none, "x", COLOURED).join("")).not.toContain("\u001b[33m");
});

test("an unknown member of the ledger is displayed too", () => {
  const newer = { ...STATS, spans: { ...STATS.spans, mislaid: 7 } };

  expect(statsTable(newer, "x", PLAIN)).toContainEqual(expect.stringMatching(/^mislaid +7 +0 B$/));
});

const lines = (parts: Partial<ForwardAnswer> = {}) =>
  forwardTable({ ...forwardAnswer(), ...parts }, 80, PLAIN);

const TIME = "2026-11-24T13:04:39.007Z";

/** Returns the names of the lines that have this colour. */
function painted(colour: number, parts: Partial<ForwardAnswer> = {}): string[] {
  const table = forwardTable({ ...forwardAnswer(), ...parts }, 80, COLOURED);
  const inColour = table.filter((line) => line.startsWith(`\u001b[${colour}m`));
  return inColour.map((line) => Bun.stripANSI(line).split("  ")[0]!);
}

test("an unreachable upstream is displayed with its next attempt, losses and last error", () => {
  // The time is displayed in the local time zone.
  const now = Date.now();
  const time = new Date(now - (now % 60_000) + 39_007).toISOString();
  const last_error = { message: "UNAVAILABLE: no route", time };

  expect(lines({ last_error })).toEqual([
    "forwards to    grpcs://collector:4317",
    "state          backing off, next attempt in 1.24 s",
    "rate           1,235 spans/s",
    "lag            4.20 s",
    "in flight      1,028 spans in 2 batches",
    "batches        21 delivered, 22 partly_rejected, 23 retry",
    "retried        27 spans",
    "undeliverable  24 invalid, 25 too_large, 26 rejected",
    expect.stringMatching(
      /^last error     \d{4}-\d\d-\d\d \d\d:\d\d:39\.007: UNAVAILABLE: no route$/,
    ),
  ]);
});

test("an upstream without attempts is displayed with zeros", () => {
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
    "retried        0 spans",
    "undeliverable  none",
    "last error     none",
  ]);
});

test.each([
  { state: "connected", shown: "connected" },
  { state: "backing_off", retry_in_ms: 0, shown: "backing off, retrying" },
  { state: "blocked", retry_in_ms: 0, shown: "blocked: the upstream refuses, retrying" },
  { state: "backing_off", retry_in_ms: 90_000, shown: "backing off, next attempt in 1 m 30 s" },
  { state: "drowned", shown: "drowned" },
])(
  "the state $state with an attempt in $retry_in_ms ms is displayed as: $shown",
  ({ shown, ...parts }) => {
    expect(lines(parts)[1]).toBe(`state          ${shown}`);
  },
);

test("a hint is displayed only while forwarding fails", () => {
  const last_error = { message: "401: no", hint: "check the token\u001b[2J", time: TIME };

  const [failing, connected] = ["blocked", "connected"].map((state) =>
    lines({ state, last_error }),
  );

  expect(failing!.at(-1)).toBe("hint           check the token\\x1b[2J");
  expect(connected!.at(-1)).toStartWith("last error");
});

test("an outage is red, and undeliverable spans are yellow", () => {
  expect(painted(31)).toEqual(["state"]);
  expect(painted(31, { state: "connected" })).toEqual([]);
  expect(painted(33)).toEqual(["undeliverable"]);
  expect(painted(33, { undeliverable: { invalid: 0 } })).toEqual([]);
});

test("no line is wider than the terminal, and long errors are wrapped without loss", () => {
  const message = `UNAVAILABLE: ${"word ".repeat(30)}${"x".repeat(90)}`;
  const endpoint = `https://collector:443/${"y".repeat(120)}`;
  const time = "2026-11-24T13:04:39.007Z";

  const table = lines({ endpoint, last_error: { message, time } });

  expect(table.filter((line) => widthOf(line) > 80)).toEqual([]);
  const shown = table.map((line) => line.slice(15)).join("");
  expect(shown.replaceAll(" ", "")).toContain(message.replaceAll(" ", ""));
  expect(shown).toContain(endpoint);
});

test("control characters from the server are never printed", () => {
  const table = lines({
    endpoint: HOSTILE_NAME,
    state: HOSTILE_NAME,
    batches: { [HOSTILE_NAME]: 1 },
    last_error: { message: HOSTILE_NAME, time: "2026-11-24T13:04:39Z" },
  });

  expect(table.join("")).not.toMatch(UNSAFE_TEXT);
});

// The time is displayed in the local time zone.
const now = Date.now();
const LAST = new Date(now - (now % 60_000) + 39_007).toISOString();

const problem = (parts: Partial<ListedProblem> = {}): ListedProblem => ({
  protocol: "http",
  reason: "too_large",
  address: "10.0.0.7",
  count: 3,
  first: LAST,
  last: LAST,
  detail: "more than 20 bytes",
  hint: "send less",
  ...parts,
});

test("a problem is displayed with its time, source, count and reason, and a hint below", () => {
  const [heading, what, hint, ...others] = problemTable([problem()], 120, PLAIN);

  expect(heading).toBe("problems, newest first");
  expect(what).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:39\.007 http from 10\.0\.0\.7: 3 requests were larger than a limit/,
  );
  expect(what).toEndWith("larger than a limit: more than 20 bytes");
  expect(hint).toBe("  send less");
  expect(others).toEqual([]);
});

test("missing members of a problem are omitted", () => {
  const [, what] = problemTable(
    [problem({ address: undefined, detail: undefined, count: 1 })],
    120,
    PLAIN,
  );

  expect(what).toEndWith(" http: 1 request was larger than a limit");
});

test("an unknown reason is displayed by its name", () => {
  for (const reason of ["brand_new", "toString"]) {
    const [, what] = problemTable([problem({ reason })], 120, PLAIN);
    expect(what).toContain(`: 3 x ${reason}: `);
  }
});

test("the newest five problems are displayed, with the number of the others", () => {
  const many = Array.from({ length: 8 }, (_, at) => problem({ hint: `hint ${at}` }));

  const table = problemTable(many, 120, PLAIN);

  expect(table[0]).toBe("problems, newest first, and 3 more at /api/problems");
  expect(table.filter((line) => line.startsWith("  hint"))).toEqual(
    [0, 1, 2, 3, 4].map((at) => `  hint ${at}`),
  );
});

test("without problems, the table is empty", () => {
  expect(problemTable([], 80, PLAIN)).toEqual([]);
});

test("no line of problems is wider than the terminal, and text of a peer is escaped", () => {
  const hostile = { address: HOSTILE_NAME, protocol: HOSTILE_NAME, reason: HOSTILE_NAME };
  const texts = { detail: HOSTILE_NAME.repeat(9), hint: HOSTILE_NAME.repeat(9) };

  const table = problemTable([problem({ ...hostile, ...texts })], 40, PLAIN);

  expect(table.filter((line) => Bun.stringWidth(line) > 40)).toEqual([]);
  expect(table.join("")).not.toMatch(UNSAFE_TEXT);
});

test("the problem is highlighted, and its hint is faint", () => {
  const [heading, what, hint] = problemTable([problem()], 120, COLOURED);

  expect([heading, what, hint].map((line) => line?.slice(0, 5).replace("\u001B", ""))).toEqual([
    "[1mp",
    "[33m",
    "[2m ",
  ]);
});
