import { constants } from "node:os";
import { closeSync, openSync, readSync } from "node:fs";
import type { Environment } from "../../../config/config.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";

/** Describes how a command ended, with the exit codes of a shell. */
export interface ChildEnd {
  /** Its own code; 128 plus the number of a signal that ended it; 126 or 127 if it did not run. */
  readonly exitCode: number;
  /** Why it did not run, or did not exit normally. */
  readonly reason?: string;
  /** Present if the command could not be started. */
  readonly hasNotRun?: true;
}

/** Signals that would end this process and leave the command without a receiver. */
const FORWARDED_SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGABRT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
] as const;
type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

/** The signals that a terminal sends to its whole foreground group at Ctrl-C and Ctrl-\. */
const TERMINAL_SIGNALS: ReadonlySet<ForwardedSignal> = new Set(["SIGINT", "SIGQUIT"]);

/** The part of `process` that receives signals. */
export interface SignalSource {
  on(signal: ForwardedSignal, listener: () => void): unknown;
  off(signal: ForwardedSignal, listener: () => void): unknown;
}

export interface Child {
  readonly command: readonly string[];
  readonly env: Environment;
  readonly signals: SignalSource;
  /** Whether a terminal sends Ctrl-C to us and to the command, so that we must not forward it. */
  readonly isInForeground: () => boolean;
  /** Called at the second SIGINT, because the first has not ended the command. */
  readonly ignored?: () => void;
  /** Called when the command has ended, just before signals end this process again. */
  readonly ended?: () => void;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Runs a command with our standard input, output and error, and waits for it to exit. */
export async function runChild(child: Child): Promise<ChildEnd> {
  let running: Bun.Subprocess | undefined;
  // Before the command starts, because Ctrl-C may come at once.
  const stopForwarding = forwardSignals(child, (signal) => running?.kill(signal));
  const spawned = spawn(child);
  if ("child" in spawned) running = spawned.child;
  await running?.exited;
  await signalsHandled();
  child.ended?.();
  stopForwarding();
  return "child" in spawned ? endOf(spawned.child) : spawned;
}

function endOf({ exitCode, signalCode }: Bun.Subprocess): ChildEnd {
  if (signalCode === null) return { exitCode: exitCode! };
  const signal = signalCode as keyof typeof constants.signals;
  return { exitCode: 128 + constants.signals[signal], reason: `ended by ${signal}` };
}

function spawn({ command, env }: Child): ChildEnd | { readonly child: Bun.Subprocess } {
  try {
    const stdio = ["inherit", "inherit", "inherit"] as const;
    return { child: Bun.spawn([...command], { env: { ...env }, stdio: [...stdio] }) };
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const part = isMissing ? missingPart(command[0] ?? "", env) : "it cannot be executed";
    if (part !== undefined) return { exitCode: NOT_EXECUTABLE, reason: part, hasNotRun: true };
    return { exitCode: NOT_FOUND, reason: "command not found", hasNotRun: true };
  }
}

/**
 * Resolves once the listeners have been called for the signals that have arrived so far. A terminal
 * sends Ctrl-C to this process and to the command, whose end may be noticed first.
 */
async function signalsHandled(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one turn of the event loop after the other
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Forwards signals to the command. Meanwhile they do not end this process. */
function forwardSignals(
  { signals, isInForeground, ignored }: Child,
  forward: (signal: ForwardedSignal) => void,
): () => void {
  const listeners = FORWARDED_SIGNALS.map((signal) => {
    const isSentByTerminal = () => TERMINAL_SIGNALS.has(signal) && isInForeground();
    return { signal, listener: () => (isSentByTerminal() ? undefined : forward(signal)) };
  });
  let interrupts = 0;
  const countInterrupt = (): void => {
    interrupts += 1;
    if (interrupts === 2) ignored?.();
  };
  signals.on("SIGINT", countInterrupt);
  for (const { signal, listener } of listeners) signals.on(signal, listener);
  return () => {
    signals.off("SIGINT", countInterrupt);
    for (const { signal, listener } of listeners) signals.off(signal, listener);
  };
}

/**
 * Returns what is missing if the command itself exists, because the system reports the same error
 * for a script without its interpreter. Returns undefined if the command does not exist.
 */
export function missingPart(command: string, { PATH = "" }: Environment): string | undefined {
  const path = Bun.which(command, { PATH });
  if (path === null) return undefined;
  const interpreter = interpreterOf(path);
  return interpreter === undefined
    ? "its interpreter or loader was not found"
    : `its interpreter "${quotePeerText(interpreter)}" was not found`;
}

/** The number of bytes to read for the first line; the system reads fewer. Source: execve(2). */
const HEAD_BYTES = 256;

/** Returns `/usr/bin/env` for `#!/usr/bin/env node`; undefined if the file cannot be read. */
export function interpreterOf(path: string): string | undefined {
  const line = headOf(path).split("\n")[0] ?? "";
  return /^#![ \t]*(?<interpreter>[^ \t]+)/.exec(line)?.groups?.["interpreter"];
}

/** Returns the beginning of a file; empty if it may be executed but not read. */
function headOf(path: string): string {
  try {
    const file = openSync(path, "r");
    const head = Buffer.alloc(HEAD_BYTES);
    const length = readSync(file, head);
    closeSync(file);
    return head.toString("utf8", 0, length);
  } catch {
    return "";
  }
}
