import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../src/config/config.ts";
import { COMMAND, FREE_PORTS, type LogLine, portOf, readLog } from "../running/running-program.ts";

/** The program on a terminal. It is killed if it still runs when this is disposed of. */
export interface ProgramOnTerminal extends AsyncDisposable {
  /** The process id of the shell, or of the program once the shell has been replaced by it. */
  readonly pid: number;
  readonly httpUrl: string;
  /** Closes the terminal. */
  hangUp(): void;
  /** Resolves to all lines once the program has ended. */
  readonly wholeLog: Promise<readonly LogLine[]>;
}

/**
 * Runs `script` in a shell on a new terminal, with the program and its arguments as `"$@"`, and the
 * path of its log as `$LOG`. Resolves when the program is ready.
 */
export async function startOnTerminal(
  script: string,
  env: Environment,
): Promise<ProgramOnTerminal> {
  const folder = mkdtempSync(join(tmpdir(), "spanring-"));
  const pipe = join(folder, "log");
  Bun.spawnSync(["mkfifo", pipe]);
  // This waits for the program to open the pipe, which this process must not do.
  const reader = Bun.spawn(["cat", pipe], { stdout: "pipe" });
  const shell = Bun.spawn(["sh", "-c", script, "sh", ...COMMAND], {
    env: { PATH: process.env["PATH"], LOG: pipe, ...FREE_PORTS, ...env },
    terminal: {},
  });
  const end = async () => {
    killGroup(shell.pid);
    reader.kill();
    await Promise.all([shell.exited, reader.exited]);
    rmSync(folder, { recursive: true });
  };
  try {
    const log = readLog(reader.stdout);
    await log.first(({ event }) => event === "ready");
    return {
      pid: shell.pid,
      httpUrl: `http://127.0.0.1:${portOf(log.lines, "http")}`,
      hangUp: () => shell.terminal?.close(),
      wholeLog: log.ended.then(() => log.lines),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Kills the process group that the shell leads and that contains the program. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // The process has ended.
  }
}
