import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/render/palette.ts";
import { statsTable } from "../../../../src/adapters/cli/render/stats-table.ts";
import { books } from "../../../support/oracles/books.ts";

const BOOKS = { received: 12_345, rejected: 3, accepted: 12_342, buffered: 10_000 };
const STATS = {
  spans: books({ ...BOOKS, evicted: 2342 }),
  bytes: books({ ...BOOKS, buffered: 3_700_000, evicted: 453 }),
  capacity: { spans: 10_000, bytes: 67_108_864 },
  sequence: { first: 2343, next: 12_343 },
  uptime_seconds: 11_234.5,
  version: "1.2.3",
};

test("the books are a table, in spans and in bytes", () => {
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
  ]);
});

test("of an API that names its run, the run is shown: a cursor may be of it", () => {
  const sequence = { ...STATS.sequence, run_id: "3f9a0c5e7b21d804" };

  const rows = statsTable({ ...STATS, sequence }, "x", PLAIN);

  expect(rows.at(-1)).toBe("run 3f9a0c5e7b21d804");
});

test("what made room in flight uses no slot, though it is buffered in the books", () => {
  const spans = books({ ...BOOKS, buffered: 10_400, evicted: 1942 });
  const bytes = books({ ...BOOKS, buffered: 70_000_000 });

  const rows = statsTable({ ...STATS, spans, bytes }, "x", PLAIN);

  expect(rows).toContainEqual(expect.stringMatching(/^buffered +10,400 +66\.8 MiB$/));
  expect(rows).toContainEqual(expect.stringMatching(/^in use +100\.0 % +100\.0 %$/));
});

test("a slot is in use for as long as an older span is there", () => {
  const sequence = { first: 12_000, next: 17_000 };

  const rows = statsTable({ ...STATS, sequence, spans: books() }, "x", PLAIN);

  expect(rows).toContainEqual(expect.stringMatching(/^in use +50\.0 % /));
});

test("what was lost is marked, and only when there is some", () => {
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

test("a book that this program does not know is shown too", () => {
  const newer = { ...STATS, spans: { ...STATS.spans, mislaid: 7 } };

  expect(statsTable(newer, "x", PLAIN)).toContainEqual(expect.stringMatching(/^mislaid +7 +0 B$/));
});
