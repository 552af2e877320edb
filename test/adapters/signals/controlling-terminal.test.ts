import { expect, test } from "bun:test";
import { join } from "node:path";
import { hasControllingTerminal } from "../../../src/adapters/signals/controlling-terminal.ts";

const MODULE = join(import.meta.dir, "../../../src/adapters/signals/controlling-terminal.ts");
const SCRIPT = `
  import { hasControllingTerminal } from ${JSON.stringify(MODULE)};
  process.exit(hasControllingTerminal() ? 10 : 20);
`;

test("a process that a terminal started has one, whatever its standard streams are", async () => {
  const argv = ["sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh"];
  const child = Bun.spawn([...argv, process.execPath, "-e", SCRIPT], { terminal: {} });

  expect(await child.exited).toBe(10);
});

test("a process in a session of its own has none", async () => {
  const child = Bun.spawn([process.execPath, "-e", SCRIPT], { detached: true });

  expect(await child.exited).toBe(20);
});

test("where there are no terminals at all, there is none", () => {
  expect(hasControllingTerminal("/nowhere/tty")).toBe(false);
});
