import type { Clock, TimerClock } from "../../ports/clock.ts";

export type LifeCycleState = "starting" | "ready" | "stopping";

/**
 * Stops a part gently within the given time, and by force once that has passed. A second call with
 * a time of 0 forces a part that is still stopping.
 */
export type StopPart = (graceMs: number) => Promise<void>;

/**
 * Holds the running parts and the state of the process. Parts stop in the reverse order of their
 * start and share one grace period: each gets the time that the earlier ones left.
 */
export class LifeCycle {
  // Fixed at construction.
  private readonly clock: Clock;

  // Moved by `started`, `ready` and `stop`.
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
   * Stops all started parts, each of them once, even if the start did not complete. A part that
   * fails does not keep the others from stopping; the returned promise then rejects with all
   * failures at the end.
   */
  async stop(graceMs: number): Promise<void> {
    this.currentState = "stopping";
    const grace = this.graceUntil(this.clock.monotonicMs() + graceMs);
    const failures = await stopInTurn(this.parts.splice(0).toReversed(), grace);
    if (failures.length > 0) throw new AggregateError(failures, "some parts did not stop");
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
    // oxlint-disable-next-line no-await-in-loop -- parts stop one at a time
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

interface StoppedPart {
  readonly gently: () => Promise<void>;
  readonly byForce: () => Promise<void>;
}

/** Stops a part gently, or by force if that takes too long. */
export async function stopWithin(
  graceMs: number,
  part: StoppedPart,
  clock: Pick<TimerClock, "timeout">,
): Promise<void> {
  const timeUp = Promise.withResolvers<"time is up">();
  const cancel = clock.timeout(graceMs, () => timeUp.resolve("time is up"));
  // A part that fails to stop gently is stopped by force, like one that takes too long.
  const gently = part.gently().catch(() => "failed" as const);
  const ended = await Promise.race([gently, timeUp.promise]);
  cancel();
  if (ended !== undefined) await part.byForce();
}
