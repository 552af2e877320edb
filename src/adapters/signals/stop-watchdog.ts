import type { TimerClock } from "../../ports/clock.ts";
import type { LogFields } from "../../ports/logger.ts";
import { C_LIBRARIES } from "./serve-signals.ts";
// oxlint-disable-next-line import/default -- text has one
import threadSource from "./stop-watchdog-thread.js" with { type: "text" };

/** A loop that turns does so in this time, and even a busy machine lets it do so several times. */
const TURN_MS = 20;

/** What the watchdog does about a stop that is overdue. */
export interface OverdueStop {
  readonly graceMs: number;
  /** The event and the fields of the last line of the log. */
  readonly line: LogFields;
  readonly exitCode: number;
}

/** The cells that both threads share: two are set once, the third counts. */
const AT = { hurried: 0, ended: 1, turns: 2 } as const;

/** What the thread is told. */
interface Watch extends OverdueStop, Omit<Options, "startThread"> {
  readonly cells: Int32Array;
  readonly at: typeof AT;
}

interface Options {
  /** The time from the grace period to the first look at the loop. */
  readonly marginMs: number;
  /** The time after which a loop without a turn counts as blocked, if the thread runs in it. */
  readonly silenceMs: number;
  readonly libraries: readonly string[];
  readonly startThread: (url: string) => Worker;
}

const DEFAULTS: Options = {
  marginMs: 150,
  silenceMs: 250,
  libraries: C_LIBRARIES,
  startThread: (url) => new Worker(url, { ref: false }),
};

/**
 * Ends the process if its event loop is blocked at the end of a stop: by the walk of a large
 * request, or by a write to a pipe that nobody reads, for example. A stop runs on timers of that
 * loop, and none of them is called then. A loop that turns ends the stop by itself, even if a slow
 * disk delays it, and is left alone:
 *
 *     begin()                     grace period over        margin over
 *       |--------- graceMs ---------------|---- marginMs ----|-- silenceMs --|-- silenceMs --| ...
 *       |--- or until hurry() ---|                           a turn in here begins the next;
 *                                                            without one, the process ends
 *
 * Another thread does this, because it can write a line and choose the exit code. alarm(2) would
 * need no thread, but the process would end without a word, and as if killed. `process.exit` of a
 * Worker ends only the Worker, so the thread calls _exit(2). There is no thread before the first
 * stop signal, so a running receiver pays nothing for it. That signal has to reach the loop; while
 * it is blocked already, only SIGKILL of a supervisor ends the process.
 */
export class StopWatchdog {
  // Fixed at construction.
  private readonly cells = new Int32Array(new SharedArrayBuffer(3 * 4));
  private readonly clock: Pick<TimerClock, "repeat">;
  private readonly options: Options;

  // Moved by `begin` and `end`.
  private cancel: (() => void) | undefined;

  constructor(clock: Pick<TimerClock, "repeat">, options: Partial<Options> = {}) {
    this.clock = clock;
    this.options = { ...DEFAULTS, ...options };
  }

  /** Watches a stop from now on. Returns the thread; undefined if the system has none left. */
  begin(stop: OverdueStop): Worker | undefined {
    this.cancel = this.clock.repeat(TURN_MS, () => Atomics.add(this.cells, AT.turns, 1));
    const { startThread, ...limits } = this.options;
    return watchFrom(startThread, { ...limits, ...stop, cells: this.cells, at: AT });
  }

  /** Ends the grace period. */
  hurry(): void {
    this.set(AT.hurried);
  }

  get hasEnded(): boolean {
    return Atomics.load(this.cells, AT.ended) === 1;
  }

  /** The stop has ended in time. */
  end(): void {
    this.cancel?.();
    this.set(AT.hurried);
    this.set(AT.ended);
  }

  private set(cell: number): void {
    Atomics.store(this.cells, cell, 1);
    Atomics.notify(this.cells, cell);
  }
}

/** A stop without this thread is as good as any other, unless the loop is blocked. */
function watchFrom(startThread: Options["startThread"], watch: Watch): Worker | undefined {
  const source = new Blob([threadSource], { type: "text/javascript" });
  try {
    const thread = startThread(URL.createObjectURL(source));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker has no origin
    thread.postMessage(watch);
    return thread;
  } catch {
    return undefined;
  }
}
