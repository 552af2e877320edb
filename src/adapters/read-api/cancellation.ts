export interface Cancellation {
  readonly signal: AbortSignal;
  cancel(): void;
  /** To be called when it is over: the signals it follows may last much longer. */
  clear(): void;
}

/**
 * Cancelled when any of the signals is, or by `cancel`. `AbortSignal.any` would do, but for the
 * last: it could not be detached from a signal that lasts as long as the program.
 */
export function cancelledBy(signals: readonly AbortSignal[]): Cancellation {
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  for (const signal of signals) signal.addEventListener("abort", cancel);
  if (signals.some(({ aborted }) => aborted)) cancel();
  const clear = (): void => {
    for (const signal of signals) signal.removeEventListener("abort", cancel);
  };
  return { signal: controller.signal, cancel, clear };
}
