import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";
import { overdueStop } from "../../src/server/overdue-stop.ts";

function overdueWith(env: Record<string, string>) {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error("the environment has a mistake");
  return overdueStop(reading.config, 5_000);
}

const FORWARDING = { FORWARD_ENDPOINT: "http://127.0.0.1:1" };

test.each([
  { name: "without a log", env: {}, exitCode: 1, hint: "are lost" },
  { name: "without a log, forwarding", env: FORWARDING, exitCode: 5, hint: "are lost" },
  { name: "with a log", env: { DATA_DIR: "/data" }, exitCode: 1, hint: "DATA_DIR" },
  {
    name: "with a log, forwarding",
    env: { ...FORWARDING, DATA_DIR: "/data", DURABILITY: "process" },
    exitCode: 1,
    hint: "next start finds the spans in DATA_DIR, and may",
  },
  {
    name: "with a log that a failing disk bypasses",
    env: { DATA_DIR: "/data", DISK_FAILURE: "memory" },
    exitCode: 1,
    hint: "; those acknowledged while the disk failed are lost",
  },
])("a stop that is overdue says what becomes of the spans, $name", ({ env, exitCode, hint }) => {
  expect(overdueWith(env)).toMatchObject({
    graceMs: 5_000,
    exitCode,
    line: { event: "stop_overdue", grace_ms: 5_000, hint: expect.stringContaining(hint) },
  });
});

test("a stop that must write the spans first is never overdue", () => {
  expect(overdueWith({ DATA_DIR: "/data", DURABILITY: "stop" })).toBeUndefined();
});
