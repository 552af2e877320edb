import { expect, test } from "bun:test";
import { join } from "node:path";
import { nativeSignals } from "../../../src/adapters/signals/native-signals.ts";

const SIGSTKFLT = 16;
const MODULE = join(import.meta.dir, "../../../src/adapters/signals/native-signals.ts");

test("a signal that is ignored was not ignored before, and is from then on", () => {
  const { ignore } = nativeSignals();

  expect([ignore(SIGSTKFLT), ignore(SIGSTKFLT)]).toEqual([false, true]);
});

test("a process survives a signal that it has asked to ignore", async () => {
  const script = `
    import { nativeSignals } from "${MODULE}";
    const { ignore } = nativeSignals();
    for (const signal of [16, 34, 64]) {
      ignore(signal);
      process.kill(process.pid, signal);
    }
    console.log("survived");
  `;

  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });

  expect(await child.stdout.text()).toBe("survived\n");
  expect(await child.exited).toBe(0);
});

test("without a C library that can be called, nothing is ignored, and nothing fails", () => {
  const { ignore } = nativeSignals(["libnothing.so.0"]);

  expect([ignore(SIGSTKFLT), ignore(SIGSTKFLT)]).toEqual([false, false]);
});
