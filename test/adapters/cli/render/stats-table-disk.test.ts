import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { statsTable } from "../../../../src/adapters/cli/render/stats-table.ts";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { ledgerOf } from "../../../support/oracles/ledger-of.ts";

const STATS = {
  spans: ledgerOf({}),
  bytes: ledgerOf({}),
  capacity: { spans: 10_000, bytes: 67_108_864 },
  sequence: { run_id: "3f9a0c5e7b21d804", first: 2343, next: 12_343 },
  exporters: exporterCounts(),
  uptime_seconds: 11_234.5,
  version: "1.2.3",
};

const DISK = { durability: "disk", state: "writable", used_bytes: 3_700_000 } as const;
const NONE = { spans: 0, bytes: 0 };
const PLACES = {
  in_memory: { spans: 5, bytes: 600 },
  only_on_disk: NONE,
  only_in_memory: NONE,
};
const LIMITS = { max_bytes: 1 << 30, segments: 2, queued_bytes: 0, ...PLACES };

test("a log on disk is displayed with its size, its level, and what is there only", () => {
  const disk = { ...DISK, ...LIMITS, only_on_disk: { spans: 12_000, bytes: 3_000_000 } };
  const rows = statsTable({ ...STATS, disk }, "x", PLAIN);

  expect(rows.at(-2)).toBe("on disk 3.53 MiB of 1.00 GiB, acknowledged at level disk");
  expect(rows.at(-1)).toStartWith("only on disk 12,000 spans (2.86 MiB); queries cover the newer");
});

test("a failing disk is displayed with the reason, without its control characters", () => {
  const failing = { ...DISK, ...LIMITS, state: "failing", error: "EIO: \u001b[2J" } as const;

  const lines = (["disk", "stop"] as const).map((durability) =>
    statsTable({ ...STATS, disk: { ...failing, durability } }, "x", PLAIN).at(-1),
  );

  expect(lines[0]).toStartWith("the disk fails, and requests are refused: EIO: ");
  expect(lines[1]).toStartWith("the disk fails, and a stop may lose spans: EIO: ");
  expect(lines.join("")).not.toContain("\u001b");
});

test("spans in memory only are displayed, except at level stop, where all new ones are", () => {
  const only_in_memory = { spans: 1_200, bytes: 300_000 };
  const failing = { ...DISK, ...LIMITS, only_in_memory, state: "memory_only", error: "EIO" };

  const rows = statsTable({ ...STATS, disk: failing }, "x", PLAIN);
  const atStop = statsTable({ ...STATS, disk: { ...failing, durability: "stop" } }, "x", PLAIN);

  expect(rows.at(-2)).toBe("only in memory 1,200 spans (293 KiB); a crash or a stop loses them");
  expect(rows.at(-1)).toStartWith("the disk fails, and new spans are in memory only: EIO");
  expect(atStop.join("\n")).not.toContain("only in memory");
});
