import { expect, test } from "bun:test";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";

test("time goes on", async () => {
  const before = SYSTEM_CLOCK.monotonicMs();

  await SYSTEM_CLOCK.sleep(2, new AbortController().signal);

  expect(SYSTEM_CLOCK.monotonicMs() - before).toBeGreaterThan(1);
});

test("a signal ends a sleep early, and without an error", async () => {
  const controller = new AbortController();
  const slept = SYSTEM_CLOCK.sleep(3_600_000, controller.signal);

  controller.abort();

  expect(await slept).toBeUndefined();
});
