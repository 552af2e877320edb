import { spyOn } from "bun:test";

export interface WatchedTimers {
  /** Counts the timers of this delay that were started, and those of them not cleared yet. */
  count(delayMs: number): { readonly started: number; readonly left: number };
  [Symbol.dispose](): void;
}

/** Watches the timers that are started and cleared from now on. */
export function watchTimers(kind: "Timeout" | "Interval"): WatchedTimers {
  const started = spyOn(globalThis, `set${kind}`);
  const cleared = spyOn(globalThis, `clear${kind}`);
  return {
    count: (delayMs) => {
      const gone = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
      const timers = started.mock.results.filter((_, at) => {
        return started.mock.calls[at]![1] === delayMs;
      });
      const left = timers.filter(({ value }) => !gone.has(value));
      return { started: timers.length, left: left.length };
    },
    [Symbol.dispose]: () => {
      started.mockRestore();
      cleared.mockRestore();
    },
  };
}
