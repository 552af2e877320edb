import { constants } from "node:os";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of a process that stop signals need. */
export interface SignalledProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/** For what keeps nothing: resolves with the first stop signal; a second ends it at once. */
export function stopSignal(process: SignalledProcess): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  receive(process, [resolve]);
  return promise;
}

/** For what has something to save: the first asks it to stop, the second to hurry. */
export interface StopSignals {
  readonly stopped: Promise<StopSignal>;
  readonly hurried: Promise<StopSignal>;
}

/** A third one ends the program at once. */
export function stopSignals(process: SignalledProcess): StopSignals {
  const stopped = Promise.withResolvers<StopSignal>();
  const hurried = Promise.withResolvers<StopSignal>();
  receive(process, [stopped.resolve, hurried.resolve]);
  return { stopped: stopped.promise, hurried: hurried.promise };
}

/**
 * One signal for each of these, and the next ends the program with the exit code that a shell gives
 * to one that a signal killed: 128 and the signal's number.
 */
function receive(
  process: SignalledProcess,
  listeners: readonly ((signal: StopSignal) => void)[],
): void {
  const left = [...listeners];
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      const listener = left.shift();
      if (listener === undefined) process.exit(128 + constants.signals[signal]);
      else listener(signal);
    });
  }
}
