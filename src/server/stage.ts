import type { StopPart } from "../application/shutdown/life-cycle.ts";
import type { ServerParts } from "./parts.ts";

/** One step of a start, and its opposite in the stop. */
export interface Stage {
  readonly name: string;
  /** Resolves to false when the server cannot start; the log has said why. */
  readonly start?: () => boolean | Promise<boolean>;
  /** Left out when the stop has nothing to do. Called only after a successful start. */
  readonly stop?: StopPart;
}

/** Resolves to whether all stages have started; those that have are registered for the stop. */
export async function startStages(parts: ServerParts, stages: readonly Stage[]): Promise<boolean> {
  for (const { start, stop } of stages) {
    // oxlint-disable-next-line no-await-in-loop -- each stage relies on those before it
    if (start !== undefined && !(await start())) return false;
    if (stop !== undefined) parts.life.started(stop);
  }
  parts.life.ready();
  return true;
}
