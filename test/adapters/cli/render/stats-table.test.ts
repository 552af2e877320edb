import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/render/palette.ts";
import { statsTable } from "../../../../src/adapters/cli/render/stats-table.ts";

const BOOKS = { received: 12_345, rejected: 3, accepted: 12_342, buffered: 10_000 };
const STATS = {
  spans: { ...BOOKS, taken: 0, evicted: 2342 },
  bytes: { ...BOOKS, buffered: 3_700_000, taken: 0, evicted: 453 },
  capacity: { spans: 10_000, bytes: 67_108_864 },
  sequence: { first: 2343, next: 12_343 },
  uptime_seconds: 11_234.5,
  version: "1.2.3",
};

test("the books are a table, in spans and in bytes", () => {
  expect(statsTable(STATS, "http://127.0.0.1:4319", PLAIN)).toEqual([
    "spanring 1.2.3 at http://127.0.0.1:4319, up 3 h 07 m",
    "",
    "            SPANS     BYTES",
    "received   12,345  12.1 KiB",
    "rejected        3       3 B",
    "accepted   12,342  12.1 KiB",
    "buffered   10,000  3.53 MiB",
    "taken           0       0 B",
    "evicted     2,342     453 B",
    "",
    "capacity   10,000  64.0 MiB",
    "in use    100.0 %     5.5 %",
    "",
    "next sequence 12,343, oldest buffered 2,343",
  ]);
});

test("what was lost is marked, and only when there is some", () => {
  const marked = statsTable(STATS, "x", COLOURED).filter((line) => line.startsWith("\u001b[33m"));
  const none = { ...STATS, spans: { ...STATS.spans, rejected: 0, evicted: 0 } };

  expect(marked.map((line) => Bun.stripANSI(line).split(" ")[0])).toEqual(["rejected", "evicted"]);
  expect(statsTable(none, "x", COLOURED).join("")).not.toContain("\u001b[33m");
});

test("a book that this program does not know is shown too", () => {
  const newer = { ...STATS, spans: { ...STATS.spans, delivered: 7 } };

  expect(statsTable(newer, "x", PLAIN)).toContainEqual(
    expect.stringMatching(/^delivered +7 +0 B$/),
  );
});
