import { expect, test } from "bun:test";
import { join } from "node:path";

test("the watchdog kills the process after an endless payload and prints its seed", () => {
  const module = JSON.stringify(join(import.meta.dir, "watchdog.ts"));
  const program = `import { Watchdog } from ${module}; new Watchdog(7, 50).progress(35); for (;;);`;

  const { stderr, signalCode } = Bun.spawnSync([process.execPath, "-e", program]);

  expect(stderr.toString()).toBe("fuzz: seed 42 does not end\n");
  expect(signalCode).toBe("SIGKILL");
});
