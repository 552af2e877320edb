import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { exactDateText } from "../../../../src/adapters/cli/output/quantities.ts";
import { spanView } from "../../../../src/adapters/cli/render/span-view.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const START = 1_753_000_000_123_456_789n;

const SPAN = {
  sequence: 17,
  run_id: "3f9a0c5e7b21d804",
  service: "shop",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: "00f067aa0ba902b7",
  traceState: "a=b",
  flags: 257,
  name: "GET /orders/{id}",
  kind: 2,
  startTimeUnixNano: String(START),
  endTimeUnixNano: String(START + 12_300_000n),
  attributes: [
    text("http.route", "/orders/{id}"),
    { key: "tags", value: { arrayValue: { values: [{ stringValue: "a" }, { intValue: "2" }] } } },
  ],
  droppedAttributesCount: 3,
  events: [
    {
      timeUnixNano: String(START + 5_100_000n),
      name: "exception",
      attributes: [
        text("exception.type", "RuntimeError"),
        text("exception.stacktrace", "RuntimeError: no\n  at main.py:7\n  at app.py:9\n"),
      ],
    },
    { name: "unset" },
  ],
  droppedEventsCount: 1,
  links: [{ traceId: "aa", spanId: "bb", traceState: "c=d", attributes: [text("why", "retry")] }],
  droppedLinksCount: 2,
  status: { code: 2, message: "no stock" },
  resource: { attributes: [text("service.name", "shop")], droppedAttributesCount: 4 },
  resourceSchemaUrl: "https://schema/1",
  scope: { name: "express", version: "1.2", attributes: [text("x", "y")] },
  scopeSchemaUrl: "https://schema/2",
};

test("a span is shown with everything that it contains", () => {
  expect(spanView(SPAN, 80, PLAIN)).toEqual([
    "span b7ad6b7169203331  GET /orders/{id}",
    "  service               shop",
    "  trace                 0af7651916cd43dd8448eb211c80319c",
    "  parent                00f067aa0ba902b7",
    "  kind                  server",
    "  status                error: no stock",
    `  start                 ${exactDateText(START)}`,
    `  end                   ${exactDateText(START + 12_300_000n)}`,
    "  duration              12.3 ms",
    "  trace state           a=b",
    "  flags                 257",
    "  dropped attributes    3",
    "  dropped events        1",
    "  dropped links         2",
    "  sequence              17",
    "",
    "attributes",
    "  http.route            /orders/{id}",
    "  tags                  [a, 2]",
    "",
    "event exception, after 5.10 ms",
    "  exception.type        RuntimeError",
    "  exception.stacktrace  RuntimeError: no",
    "                          at main.py:7",
    "                          at app.py:9",
    "",
    "event unset, at an unknown time",
    "",
    "link",
    "  trace                 aa",
    "  span                  bb",
    "  trace state           c=d",
    "  why                   retry",
    "",
    "resource",
    "  service.name          shop",
    "  dropped attributes    4",
    "  schema                https://schema/1",
    "",
    "scope",
    "  name                  express",
    "  version               1.2",
    "  x                     y",
    "  schema                https://schema/2",
  ]);
});

test("parts that a span lacks are not shown", () => {
  const lines = spanView({ name: "GET /", spanId: "a" }, 80, PLAIN);

  expect(lines).toEqual([
    "span a  GET /",
    "  service",
    "  trace",
    "  parent    none, this is a root",
    "  kind      unspecified",
    "  status    unset",
    "  start     unknown",
    "  end       unknown",
    "  duration  unknown",
  ]);
});

test("an unknown status is shown as its number", () => {
  expect(spanView({ status: { code: 7 } }, 80, PLAIN)).toContain("  status    7");
});

test("long values continue on further lines, and long keys get a line of their own", () => {
  const attributes = [text("k".repeat(40), "short"), text("sql", "SELECT ".repeat(12))];

  const lines = spanView({ attributes }, 60, PLAIN);

  const shown = lines.slice(lines.indexOf("attributes") + 1);
  expect(shown).toEqual([
    `  ${"k".repeat(40)}`,
    `${" ".repeat(40)}short`,
    `  sql${" ".repeat(35)}SELECT SELECT SELECT`,
    expect.stringMatching(/^ {40} ?SELECT/),
    expect.stringMatching(/^ {40} ?SELECT/),
    expect.stringMatching(/^ {40} ?SELECT/),
    expect.stringMatching(/^ {40} ?SELECT/),
  ]);
  expect(shown.join("").match(/SELECT/g)).toHaveLength(12);
});

test("colours do not change the text", () => {
  const coloured = spanView(SPAN, 80, COLOURED).map((line) => Bun.stripANSI(line));

  expect(coloured).toEqual(spanView(SPAN, 80, PLAIN));
});

test("control characters of a peer are never printed", () => {
  const hostile = {
    ...SPAN,
    service: HOSTILE_NAME,
    name: HOSTILE_NAME,
    attributes: [text(HOSTILE_NAME, HOSTILE_NAME)],
    events: [{ name: HOSTILE_NAME, attributes: [text(HOSTILE_NAME, HOSTILE_NAME)] }],
    links: [{ traceId: HOSTILE_NAME, attributes: [text(HOSTILE_NAME, HOSTILE_NAME)] }],
    scope: { name: HOSTILE_NAME },
  };

  expect(spanView(hostile, 200, PLAIN).join("\n")).not.toMatch(UNSAFE_TEXT);
});
