import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";

function logOf(env: Record<string, string>): unknown {
  const reading = readConfig(env);
  return reading.ok ? reading.config.log : reading.mistakes;
}

const DISK = {
  durability: "disk",
  syncIntervalMs: 1_000,
  maxDiskBytes: 2 ** 30,
  diskFailure: "refuse",
};

test.each([
  { name: "without a directory", env: { MAX_DISK_BYTES: "2MiB" }, log: "off" },
  { name: "at level disk", env: { DATA_DIR: "/data" }, log: { directory: "/data", ...DISK } },
  {
    name: "with variables of its own",
    env: {
      DATA_DIR: "data",
      DURABILITY: "process",
      SYNC_INTERVAL_MS: "20",
      MAX_DISK_BYTES: "1MiB",
      DISK_FAILURE: "memory",
    },
    log: {
      directory: "data",
      durability: "process",
      syncIntervalMs: 20,
      maxDiskBytes: 2 ** 20,
      diskFailure: "memory",
    },
  },
])("the log, $name", ({ env, log }) => {
  expect(logOf(env)).toEqual(log);
});

test("the log has a level that exists", () => {
  expect(logOf({ DURABILITY: "never" })).toEqual([
    { variable: "DURABILITY", value: "never", bound: "one of disk, process, stop" },
  ]);
});
