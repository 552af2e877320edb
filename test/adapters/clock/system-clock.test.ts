import { expect, test } from "bun:test";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";

test("the monotonic time advances during a sleep", async () => {
  const before = SYSTEM_CLOCK.monotonicMs();

  await SYSTEM_CLOCK.sleep(2, new AbortController().signal);

  expect(SYSTEM_CLOCK.monotonicMs() - before).toBeGreaterThan(1);
});

test("a signal ends a sleep early without an error", async () => {
  const controller = new AbortController();
  const slept = SYSTEM_CLOCK.sleep(3_600_000, controller.signal);

  controller.abort();

  expect(await slept).toBeUndefined();
});

test("a sleep with an aborted signal ends at once", async () => {
  expect(await SYSTEM_CLOCK.sleep(3_600_000, AbortSignal.abort())).toBeUndefined();
});

test("a sleep removes its listener from the signal when it ends", async () => {
  const { signal, listening } = countedSignal();
  const slept = SYSTEM_CLOCK.sleep(1, signal);
  const during = listening();

  await slept;

  expect([during, listening()]).toEqual([1, 0]);
});

const CLOCK = JSON.stringify(join(import.meta.dir, "../../../src/adapters/clock/system-clock.ts"));

test.each(["-1", "NaN", "-Infinity", "2 ** 31", "Infinity"])(
  "a sleep of %s ms causes no warning of the runtime",
  async (durationMs) => {
    const code = `
      const { SYSTEM_CLOCK } = await import(${CLOCK});
      const wake = new AbortController();
      const slept = SYSTEM_CLOCK.sleep(${durationMs}, wake.signal);
      setTimeout(() => wake.abort(), 5);
      await slept;`;

    const child = Bun.spawn([process.execPath, "-e", code], { stderr: "pipe" });

    expect(await child.stderr.text()).toBe("");
    expect(await child.exited).toBe(0);
  },
);

test("a repeated action keeps the process running until it is ended", async () => {
  const code = `
    const { SYSTEM_CLOCK } = await import(${CLOCK});
    let times = 0;
    const end = SYSTEM_CLOCK.repeat(1, () => {
      times += 1;
      console.log(times);
      if (times === 3) end();
    });`;

  const child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });

  expect(await child.stdout.text()).toBe("1\n2\n3\n");
  expect(await child.exited).toBe(0);
});

test("a pending timeout keeps the process running, and a cancelled one does not", async () => {
  const code = `
    const { SYSTEM_CLOCK } = await import(${CLOCK});
    SYSTEM_CLOCK.timeout(3_600_000, () => console.log("too late"))();
    SYSTEM_CLOCK.timeout(1, () => console.log("over"));`;

  const child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });

  expect(await child.stdout.text()).toBe("over\n");
  expect(await child.exited).toBe(0);
});
