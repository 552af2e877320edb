import { timerMs } from "../../domain/time.ts";
import type { Clock } from "../../ports/clock.ts";

export type LifeCycleState = "starting" | "ready" | "stopping";

/**
 * Stops one part within the time given, by force at its end. May be called again with no time while
 * the part is stopping: then it stops by force at once.
 */
export type StopPart = (graceMs: number) => Promise<void>;

/**
 * Holds the running parts and the state of the whole. Parts stop in the reverse order of their
 * start, and share one grace period: each has what the one before it left.
 */
export class LifeCycle {
  // Fixed at construction.
  private readonly clock: Clock;

  // Moved by `started`, `ready` and `stop`, by nothing else.
  private readonly parts: StopPart[] = [];
  private currentState: LifeCycleState = "starting";

  // Moved by `hurry`.
  private readonly hurried = Promise.withResolvers<"hurried">();
  private isHurried = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get state(): LifeCycleState {
    return this.currentState;
  }

  /** Registers the stop of a part that has started. */
  started(stop: StopPart): void {
    this.parts.push(stop);
  }

  /** Must be called when all parts have started. */
  ready(): void {
    this.currentState = "ready";
  }

  /**
   * Stops what was started, each part once, also where starting did not get far. A part that fails
   * does not keep the others running; rejects with what failed, when all is done.
   */
  async stop(graceMs: number): Promise<void> {
    this.currentState = "stopping";
    const grace = this.graceUntil(this.clock.monotonicMs() + graceMs);
    const failures = await stopInTurn(this.parts.splice(0).toReversed(), grace);
    if (failures.length > 0) throw new AggregateError(failures, "not every part stopped");
  }

  /** Ends the grace period for the part that is stopping and for those after it. */
  hurry(): void {
    this.isHurried = true;
    this.hurried.resolve("hurried");
  }

  private graceUntil(deadlineMs: number): Grace {
    const leftMs = () => Math.max(0, deadlineMs - this.clock.monotonicMs());
    return { leftMs: () => (this.isHurried ? 0 : leftMs()), over: this.hurried.promise };
  }
}

interface Grace {
  readonly leftMs: () => number;
  /** Resolves when the grace period is cut short. */
  readonly over: Promise<"hurried">;
}

async function stopInTurn(parts: readonly StopPart[], grace: Grace): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const stop of parts) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    await stopOne(stop, grace).catch((error: unknown) => failures.push(error));
  }
  return failures;
}

async function stopOne(stop: StopPart, { leftMs, over }: Grace): Promise<void> {
  const graceMs = leftMs();
  const stopped = stop(graceMs);
  if (graceMs === 0) return await stopped;
  const ended = await Promise.race([stopped, over]);
  if (ended === "hurried") await stop(0);
}

/** Stops gently; if that has not ended when the time is up, by force. */
export async function stopWithin(
  graceMs: number,
  part: { readonly gently: () => Promise<void>; readonly byForce: () => Promise<void> },
): Promise<void> {
  const timeUp = Promise.withResolvers<"time is up">();
  const timer = setTimeout(() => timeUp.resolve("time is up"), timerMs(graceMs));
  // A part that fails to stop gently is stopped by force, like one that takes too long.
  const gently = part.gently().catch(() => "failed" as const);
  const ended = await Promise.race([gently, timeUp.promise]);
  clearTimeout(timer);
  if (ended !== undefined) await part.byForce();
}
