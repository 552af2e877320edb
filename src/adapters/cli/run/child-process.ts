import { constants } from "node:os";
import { closeSync, openSync, readSync, readFileSync } from "node:fs";
import { isatty } from "node:tty";
import type { Environment } from "../../../config/config.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";

/** How a command ended, in the numbers that a shell gives. */
export interface ChildEnd {
  /** Its own; 128 and the signal's number if one ended it; 126 or 127 if it did not run. */
  readonly exitCode: number;
  /** Why, when it did not run or did not end by itself. */
  readonly reason?: string;
  /** Only of one that could not even begin. */
  readonly hasNotRun?: true;
}

/** Each would end this process, and leave the command behind without a receiver. */
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

/** Ctrl-C and Ctrl-\, which a terminal gives to every process in front of it. */
const TERMINAL_SIGNALS: ReadonlySet<ForwardedSignal> = new Set(["SIGINT", "SIGQUIT"]);

/** The part of this process that gets signals. */
export interface SignalSource {
  on(signal: ForwardedSignal, listener: () => void): unknown;
  off(signal: ForwardedSignal, listener: () => void): unknown;
}

export interface Child {
  readonly command: readonly string[];
  readonly env: Environment;
  readonly signals: SignalSource;
  /** Whether a terminal gives its Ctrl-C to us and to the command: then we do not give it again. */
  readonly isInForeground: () => boolean;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Runs it with our own standard input, output and error, and waits for its end. */
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
    return { exitCode: NOT_FOUND, reason: "there is no such command", hasNotRun: true };
  }
}

/** While this listens, a signal does not end this process: the command's end does. */
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
 * Why nothing was found to run, where it is not the command: the system says the same of a script
 * whose interpreter is missing. Undefined when the command itself is not there.
 */
export function missingPart(command: string, { PATH = "" }: Environment): string | undefined {
  const path = Bun.which(command, { PATH });
  if (path === null) return undefined;
  const interpreter = interpreterOf(path);
  return interpreter === undefined
    ? "it is there, but not the interpreter or loader that it names"
    : `its interpreter "${quotePeerText(interpreter)}" is not there`;
}

/** Longer than the line that the system reads. Source: execve(2). */
const HEAD_BYTES = 256;

/** Of `#!/usr/bin/env node` it is `/usr/bin/env`. Undefined where nothing can be read. */
export function interpreterOf(path: string): string | undefined {
  const line = headOf(path).split("\n")[0] ?? "";
  return /^#![ \t]*(?<interpreter>[^ \t]+)/.exec(line)?.groups?.["interpreter"];
}

/** Nothing of what may be executed and not read. */
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
 * Whether a Ctrl-C on the terminal reaches this process: the terminal gives it to every process in
 * its foreground group, whatever their standard streams are. Asked anew for each signal, because a
 * shell moves its jobs.
 */
export function isForegroundProcess(statFile = "/proc/self/stat"): boolean {
  try {
    return isForegroundStat(readFileSync(statFile, "utf8"));
  } catch {
    // Only Linux tells. Elsewhere, who has a terminal is taken to be in front of it.
    return STANDARD_STREAMS.some((fileDescriptor) => isatty(fileDescriptor));
  }
}

/** Source: proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr tpgid ...`. */
function isForegroundStat(stat: string): boolean {
  // A command's name may hold anything, parentheses and spaces among it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, , ownGroup, , , foregroundGroup] = fields;
  return ownGroup !== undefined && ownGroup === foregroundGroup;
}
