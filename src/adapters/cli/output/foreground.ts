import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import { EXIT_CODE } from "./exit-code.ts";

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

/** The part of `process` that receives signals. */
interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Receives signals, and remembers whether SIGINT was among them. */
export interface NotedSignals extends SignalSource {
  wasInterrupted(): boolean;
}

/** Notes SIGINT while anything listens for it; without a listener, it ends the process anyway. */
export function noteInterrupts(process: SignalSource): NotedSignals {
  let isInterrupted = false;
  const note = (): void => void (isInterrupted = true);
  const listenersFor = (signal: NodeJS.Signals, listener: () => void) =>
    signal === "SIGINT" ? [note, listener] : [listener];
  return {
    on: (signal, listener) => {
      for (const each of listenersFor(signal, listener)) process.on(signal, each);
    },
    off: (signal, listener) => {
      for (const each of listenersFor(signal, listener)) process.off(signal, each);
    },
    wasInterrupted: () => isInterrupted,
  };
}

/** The part of `process` that its end needs. */
interface EndingProcess {
  readonly pid: number;
  removeAllListeners(signal: "SIGINT"): unknown;
  kill(pid: number, signal: "SIGINT"): unknown;
  exit(code: number): void;
}

/** What tells whether an exit code of 130 is due to Ctrl-C on the terminal. */
interface Interruption {
  /** Whether this process has received SIGINT: `run` may only pass on the code of its command. */
  readonly wasInterrupted: () => boolean;
  readonly isInForeground?: () => boolean;
}

/**
 * Ends the process with an exit code. If it was interrupted from the terminal, the signal itself
 * ends it, which a shell reports as the same code: only then does a shell end its loop or script,
 * too, and begin its prompt on a line of its own.
 */
export function endProcess(
  process: EndingProcess,
  code: number,
  { wasInterrupted, isInForeground = isForegroundProcess }: Interruption,
): void {
  if (code === EXIT_CODE.interrupted && wasInterrupted() && isInForeground()) {
    process.removeAllListeners("SIGINT");
    process.kill(process.pid, "SIGINT");
  }
  process.exit(code);
}

/** Ends the line on which a terminal has shown ^C, if that is what this exit code means. */
export function endInterruptedLine(
  stream: { readonly isTerminal: boolean; write(text: string): unknown },
  code: number | undefined,
): void {
  if (stream.isTerminal && code === EXIT_CODE.interrupted) stream.write("\n");
}
