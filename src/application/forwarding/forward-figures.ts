import { REFUSAL_REASONS, type SendOutcome } from "../../ports/span-sink.ts";

/** Why spans were never delivered: the upstream's reasons, and two of ours. */
export const UNDELIVERABLE_REASONS = [...REFUSAL_REASONS, "too_large", "rejected"] as const;

/** `rejected`: the upstream kept a batch, but for some spans. `too_large`: one span alone was. */
export type UndeliverableReason = (typeof UNDELIVERABLE_REASONS)[number];

/** What became of batches and of spans so far, and what is in flight now. */
export interface ForwardFigures {
  readonly batches: Record<SendOutcome["outcome"], number>;
  readonly undeliverableSpans: Record<UndeliverableReason, number>;
  /**
   * Sent, and given back, for the upstream has not said that it has them: they are sent again. It
   * may have them all the same, and then has them twice.
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
