import { REFUSAL_REASONS, type SendOutcome } from "../../ports/span-sink.ts";

/** Reasons why spans were never delivered: those of upstreams, and two of spanring. */
export const UNDELIVERABLE_REASONS = [...REFUSAL_REASONS, "too_large", "rejected"] as const;

/** `rejected`: the upstream kept a batch, but for some spans. `too_large`: one span alone was. */
export type UndeliverableReason = (typeof UNDELIVERABLE_REASONS)[number];

/** Counts the outcomes of batches and spans so far, and what is in flight now. */
export interface ForwardFigures {
  readonly batches: Record<SendOutcome["outcome"], number>;
  readonly undeliverableSpans: Record<UndeliverableReason, number>;
  /**
   * Spans returned to the ring after a failed send. They are sent again; an upstream that received
   * them nevertheless has them twice.
   */
  retriedSpans: number;
  inFlightBatches: number;
  inFlightSpans: number;
}

export function zeroForwardFigures(): ForwardFigures {
  const none = UNDELIVERABLE_REASONS.map((reason) => [reason, 0] as const);
  return {
    batches: { delivered: 0, partly_rejected: 0, too_large: 0, refused: 0, blocked: 0, retry: 0 },
    undeliverableSpans: Object.fromEntries(none) as ForwardFigures["undeliverableSpans"],
    retriedSpans: 0,
    inFlightBatches: 0,
    inFlightSpans: 0,
  };
}

/** `blocked`: the upstream answers with refusals, and somebody has to fix the cause. */
export const UPSTREAM_STATES = ["untried", "connected", "backing_off", "blocked"] as const;

export type UpstreamState = (typeof UPSTREAM_STATES)[number];

export interface LastError {
  /** A message of spanring or of the upstream, short and escaped. */
  readonly message: string;
  /** Names what to check. */
  readonly hint: string | undefined;
  readonly unixMs: number;
}

/** Describes the state of forwarding at one instant. */
export interface ForwardStatus {
  readonly state: UpstreamState;
  /** Time until the next try, while `backing_off` or `blocked`. */
  readonly pauseLeftMs: number;
  readonly lastError: LastError | undefined;
  readonly spansPerSecond: number;
  /** Age of the oldest span that is not delivered yet; 0 without one. */
  readonly lagMs: number;
  readonly figures: ForwardFigures;
}
