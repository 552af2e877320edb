import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync } from "node:fs";
import { processFigures } from "../../../src/adapters/metrics/process-figures.ts";

test("memory, processor time and start time are plausible for this process", () => {
  const { residentBytes, cpuSeconds, startUnixSeconds } = processFigures();

  expect(residentBytes).toBeGreaterThan(1 << 20);
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(startUnixSeconds).toBeGreaterThan(1_700_000_000);
  expect(startUnixSeconds).toBeLessThanOrEqual(Date.now() / 1000);
});

test("an opened file is counted", () => {
  const before = processFigures().openFds;
  const file = openSync(import.meta.path, "r");
  const after = processFigures().openFds;
  closeSync(file);

  expect(before).toBe(readdirSync("/proc/self/fd").length - 1);
  expect(after).toBe(before! + 1);
});

test("the limit of open files equals that of the system", async () => {
  const child = Bun.spawn(["sh", "-c", "ulimit -n"]);

  expect(processFigures().maxFds).toBe(Number(await child.stdout.text()));
});

test("the number of open files is unknown without /proc", () => {
  const figures = processFigures("/no/such/folder");

  expect([figures.openFds, figures.maxFds]).toEqual([undefined, undefined]);
  expect(figures.residentBytes).toBeGreaterThan(1 << 20);
});
