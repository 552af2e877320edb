import type { Arrivals } from "../../../src/application/arrivals/arrivals.ts";

export interface CountedSignal {
  readonly signal: AbortSignal;
  listening(): number;
}

/** Returns a signal that never aborts, and the number of its listeners. */
export function countedSignal(): CountedSignal {
  const { signal } = new AbortController();
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...listener: Parameters<typeof add>) => {
    listening += 1;
    add(...listener);
  };
  signal.removeEventListener = (...listener: Parameters<typeof remove>) => {
    listening -= 1;
    remove(...listener);
  };
  return { signal, listening: () => listening };
}

export interface CountedArrivals extends Pick<
  Arrivals,
  "subscribe" | "onNext" | "seenNext" | "showArrived"
> {
  waiting(): number;
}

/** Returns the same arrivals, and the number of subscribers and of waits for a sequence. */
export function countedArrivals(arrivals: Arrivals): CountedArrivals {
  let waiting = 0;
  const counted = (leave: (() => void) | undefined) => {
    waiting += 1;
    return () => {
      waiting -= 1;
      leave?.();
    };
  };
  return {
    subscribe: (...request: Parameters<Arrivals["subscribe"]>) =>
      counted(arrivals.subscribe(...request)),
    onNext: (...request: Parameters<Arrivals["onNext"]>) => counted(arrivals.onNext(...request)),
    get seenNext() {
      return arrivals.seenNext;
    },
    showArrived: () => arrivals.showArrived(),
    waiting: () => waiting,
  };
}
