/** The command `spanring` of the npm package: runs the executable for this platform. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { executablePath } from "../../src/testing/executable-path.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

function launch(): void {
  const child = spawn(executablePath(), process.argv.slice(2), { stdio: "inherit" });
  // A terminal sends Ctrl-C to both processes, and a second signal would end a grace period.
  for (const signal of SIGNALS) {
    process.on(signal, () => void (isFromTerminal(signal) || child.kill(signal)));
  }
  child.on("error", (error) => fail(error));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

function isFromTerminal(signal: string): boolean {
  return process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT");
}

function fail(error: unknown): void {
  process.stderr.write(`spanring: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

try {
  launch();
} catch (error) {
  fail(error);
}
