import { constants } from "node:os";
import type { Readable } from "node:stream";
import { closeSync, constants as openFlags, openSync } from "node:fs";
import { dlopen } from "bun:ffi";

/**
 * Defines what a running receiver does at each signal. None of them loses a span:
 *
 *     TERM, INT                 stops; a second one ends the grace period, a third exits at once
 *     QUIT, ABRT                the same without a grace period
 *     XCPU, HUP of a terminal   stops like TERM, but only once: both are sent repeatedly
 *     end of standard input     the same, with STDIN_END=stop
 *     other HUP                 reloads files
 *     USR1, ALRM, ...           nothing
 *
 * SIGXCPU means that the limit of processor time is near, and that SIGKILL follows.
 */
const COUNTED = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGABRT"] as const;

const UNUSED = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO"] as const;

/** SIGSTKFLT and the real-time signals of Linux, which `process.on` does not support. */
const UNKNOWN_TO_RUNTIME =
  constants.signals.SIGSTKFLT === undefined
    ? []
    : [constants.signals.SIGSTKFLT, ...Array.from({ length: 31 }, (_, at) => 34 + at)];

/** Signals that get no listener, because it would do harm or is not needed. */
export const UNTOUCHED_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set([
  // These cannot be caught.
  "SIGKILL",
  "SIGSTOP",
  // These report a fault of the process itself. A listener returns to the faulty instruction, which
  // faults again without end; and the memory that would be saved cannot be trusted.
  "SIGILL",
  "SIGTRAP",
  "SIGBUS",
  "SIGFPE",
  "SIGSEGV",
  "SIGSYS",
  // The runtime ignores the first two, and stops its threads with the third.
  "SIGPIPE",
  "SIGXFSZ",
  "SIGPWR",
  // These suspend and resume a job, or do nothing by default.
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGCONT",
  "SIGCHLD",
  "SIGURG",
  "SIGWINCH",
  // Other names for SIGABRT and SIGIO.
  "SIGIOT",
  "SIGPOLL",
]);

type StopSignal = (typeof COUNTED)[number] | "SIGHUP" | "SIGXCPU";

type StopCause = StopSignal | "stdin";

/** The part of a process that signals need. */
interface ServingProcess {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}

interface SignalActions {
  /** Whether SIGHUP comes from a terminal, whose end ends the program. */
  readonly hangupStops: boolean;
  readonly reload: () => void;
  /** Makes the system discard a signal. */
  readonly ignore: (signal: number) => unknown;
  /** The input whose end stops the receiver; undefined if none does. */
  readonly input?: Readable | undefined;
}

export interface ServeSignals {
  readonly stopped: Promise<StopCause>;
  readonly hurried: Promise<StopSignal>;
}

/** Reports whether a stop for this cause has no grace period. */
export function isImmediate(cause: StopCause): boolean {
  return cause === "SIGQUIT" || cause === "SIGABRT";
}

/** Listens for all signals that a receiver handles, and ignores others that would end it. */
export function serveSignals(process: ServingProcess, actions: SignalActions): ServeSignals {
  const stopped = Promise.withResolvers<StopCause>();
  const hurried = Promise.withResolvers<StopSignal>();
  let count = 0;
  const stop = (signal: StopSignal) => {
    count += 1;
    if (count === 1) stopped.resolve(signal);
    else if (count === 2) hurried.resolve(signal);
    // The exit code that shells use for a program killed by a signal.
    else process.exit(128 + constants.signals[signal]);
  };
  const stopOnce = (signal: StopSignal) => (count === 0 ? stop(signal) : undefined);
  const stopAtEnd = () => {
    count = Math.max(count, 1);
    stopped.resolve("stdin");
  };
  for (const signal of COUNTED) process.on(signal, () => stop(signal));
  process.on("SIGXCPU", () => stopOnce("SIGXCPU"));
  process.on("SIGHUP", () => (actions.hangupStops ? stopOnce("SIGHUP") : actions.reload()));
  if (actions.input !== undefined) void endOf(actions.input).then(stopAtEnd);
  for (const signal of UNUSED) process.on(signal, () => {});
  for (const signal of UNKNOWN_TO_RUNTIME) actions.ignore(signal);
  return { stopped: stopped.promise, hurried: hurried.promise };
}

/** Resolves when an input ends, or fails as a closed one does. Discards what it contains. */
async function endOf(input: Readable): Promise<void> {
  await new Promise((resolve) => input.once("end", resolve).once("error", resolve).resume());
}

/**
 * Reports whether this process has a controlling terminal: closing its window or its SSH session
 * then sends SIGHUP. Standard streams do not show it, because any of them may be redirected. Must
 * be called at the start: the terminal can no longer be opened once it is gone. Source: tty(4).
 */
export function hasControllingTerminal(path = "/dev/tty"): boolean {
  try {
    closeSync(openSync(path, openFlags.O_RDONLY | openFlags.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}

/** Operations on signals that the runtime lacks and the C library has. */
interface NativeSignals {
  /** Makes the system discard a signal; returns whether it did so before. */
  ignore(signal: number): boolean;
}

const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

/** The C library of GNU, of musl and of macOS. */
export const C_LIBRARIES: readonly string[] = [
  "libc.so.6",
  `libc.musl-${MACHINE}.so.1`,
  "libSystem.B.dylib",
];

/** Source: signal(2). */
const SIG_IGN = 1;
const SIGNAL = { signal: { args: ["i32", "i64"], returns: "i64" } } as const;

/** Returns the native operations. If no library can be called, signals stay as they are. */
export function nativeSignals(libraries: readonly string[] = C_LIBRARIES): NativeSignals {
  for (const library of libraries) {
    try {
      const { signal } = dlopen(library, SIGNAL).symbols;
      return { ignore: (number) => Number(signal(number, SIG_IGN)) === SIG_IGN };
    } catch {
      // A library of another system.
    }
  }
  return { ignore: () => false };
}
