import { REFUSAL_REASONS, type SendOutcome } from "../../ports/span-sink.ts";

/** Reasons why spans were not delivered: the reasons of a refusal, and two more. */
export const UNDELIVERABLE_REASONS = [...REFUSAL_REASONS, "too_large", "rejected"] as const;

/**
 * Says why spans were not delivered. `rejected`: the upstream accepted the batch, except these
 * spans. `too_large`: a single span was too large.
 */
export type UndeliverableReason = (typeof UNDELIVERABLE_REASONS)[number];

/** Counts the outcomes of batches and spans so far, and what is in flight now. */
export interface ForwardFigures {
  readonly batches: Record<SendOutcome["outcome"], number>;
  readonly undeliverableSpans: Record<UndeliverableReason, number>;
  /**
   * Spans returned to the ring after a failed send. They are sent again, so an upstream that
   * received them anyway has them twice.
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

/**
 * The states of the upstream. `blocked`: it answers with refusals, so a person has to fix the
 * cause.
 */
export const UPSTREAM_STATES = ["untried", "connected", "backing_off", "blocked"] as const;

export type UpstreamState = (typeof UPSTREAM_STATES)[number];

export interface LastError {
  /** A message from spanring or from the upstream, short and escaped. */
  readonly message: string;
  /** Names what to check. */
  readonly hint: string | undefined;
  readonly unixMs: number;
}

/** Describes the state of forwarding at one instant. */
export interface ForwardStatus {
  readonly state: UpstreamState;
  /** Time until the next try in the states `backing_off` and `blocked`. */
  readonly pauseLeftMs: number;
  readonly lastError: LastError | undefined;
  readonly spansPerSecond: number;
  /** Age of the oldest span not yet delivered; 0 if there is none. */
  readonly lagMs: number;
  readonly figures: ForwardFigures;
}
