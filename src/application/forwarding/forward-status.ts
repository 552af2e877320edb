import type { ForwardFigures } from "./forward-figures.ts";

/** `blocked`: it answers and refuses; somebody has to mend that. */
export const UPSTREAM_STATES = ["untried", "connected", "backing_off", "blocked"] as const;

export type UpstreamState = (typeof UPSTREAM_STATES)[number];

export interface LastError {
  /** Of ours or of the upstream; short and escaped. */
  readonly message: string;
  /** Names what to check. */
  readonly hint: string | undefined;
  readonly unixMs: number;
}

/** How forwarding is doing; every number is of now. */
export interface ForwardStatus {
  readonly state: UpstreamState;
  /** Until the next try, while `backing_off` or `blocked`. */
  readonly pauseLeftMs: number;
  readonly lastError: LastError | undefined;
  readonly spansPerSecond: number;
  /** Age of the oldest span that has not been delivered; 0 when there is none. */
  readonly lagMs: number;
  readonly figures: ForwardFigures;
}
