import { constants } from "node:os";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of a process that stop signals need. */
export interface SignalledProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Resolves with the first stop signal. A second one ends the program at once, with the exit code
 * that a shell gives to a program that a signal killed: 128 and the signal's number.
 */
export function stopSignal(process: SignalledProcess): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let isStopping = false;
  const receive = (signal: StopSignal) => {
    if (isStopping) process.exit(128 + constants.signals[signal]);
    isStopping = true;
    resolve(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, () => receive(signal));
  return promise;
}
