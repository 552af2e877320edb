import { constants } from "node:os";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of a process that stop signals need. */
export interface SignalledProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * For a command, which keeps nothing: resolves with the first stop signal; a second one ends the
 * program with the exit code that a shell gives to one that a signal has killed.
 */
export function stopSignal(process: SignalledProcess): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let isStopped = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopped) process.exit(128 + constants.signals[signal]);
      isStopped = true;
      resolve(signal);
    });
  }
  return promise;
}
