/** Comes last, where the signal came before the end. */
export const ABORTED = Symbol("aborted");

/**
 * Items as they come, until a signal is given: also while the next one is long in coming, as from a
 * pipe. What makes the items is then left as it is, for nothing can call it back.
 */
export async function* untilAborted<Item>(
  items: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item | typeof ABORTED> {
  const { promise: aborted, resolve } = Promise.withResolvers<typeof ABORTED>();
  const abort = (): void => resolve(ABORTED);
  const iterator = items[Symbol.asyncIterator]();
  signal.addEventListener("abort", abort);
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- an item comes after the one before it
      const next = signal.aborted ? ABORTED : await Promise.race([iterator.next(), aborted]);
      if (next === ABORTED) yield ABORTED;
      if (next === ABORTED || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    void iterator.return?.();
  }
}
