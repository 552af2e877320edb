export interface ToolOptions {
  readonly cwd: string;
}

/** Runs a tool of the system. Rejects with what it printed if it fails. */
export async function runTool(command: readonly string[], { cwd }: ToolOptions): Promise<void> {
  // Zip files contain local times.
  const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
  const child = Bun.spawn([...command], { cwd, env, stdout: "ignore", stderr: "pipe" });
  const printed = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${printed.trim()}`);
}
