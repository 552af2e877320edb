import { constants } from "node:os";
import { closeSync, openSync, readSync, readFileSync } from "node:fs";
import { isatty } from "node:tty";
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
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Runs a command with our standard input, output and error, and waits for it to exit. */
export async function runChild(child: Child): Promise<ChildEnd> {
  const process = spawn(child);
  if ("exitCode" in process) return process;
  const stopForwarding = forwardSignals(child, (signal) => process.child.kill(signal));
  const exitCode = await process.child.exited.finally(stopForwarding);
  const { signalCode } = process.child;
  if (signalCode === null) return { exitCode };
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

/** Forwards signals to the command. Meanwhile they do not end this process. */
function forwardSignals(
  { signals, isInForeground }: Child,
  forward: (signal: ForwardedSignal) => void,
): () => void {
  const listeners = FORWARDED_SIGNALS.map((signal) => {
    const isSentByTerminal = () => TERMINAL_SIGNALS.has(signal) && isInForeground();
    return { signal, listener: () => (isSentByTerminal() ? undefined : forward(signal)) };
  });
  for (const { signal, listener } of listeners) signals.on(signal, listener);
  return () => {
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

const STANDARD_STREAMS = [0, 1, 2];

/**
 * Reports whether a Ctrl-C on the terminal reaches this process: the terminal sends it to every
 * process in its foreground group, whatever their standard streams are. It is checked for each
 * signal, because a shell moves its jobs between foreground and background.
 */
export function isForegroundProcess(statFile = "/proc/self/stat"): boolean {
  try {
    return isForegroundStat(readFileSync(statFile, "utf8"));
  } catch {
    // Only Linux has this file. Elsewhere, a process with a terminal counts as in the foreground.
    return STANDARD_STREAMS.some((fileDescriptor) => isatty(fileDescriptor));
  }
}

/** Source: proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr tpgid ...`. */
function isForegroundStat(stat: string): boolean {
  // The name of a command may contain parentheses and spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, , ownGroup, , , foregroundGroup] = fields;
  return ownGroup !== undefined && ownGroup === foregroundGroup;
}
