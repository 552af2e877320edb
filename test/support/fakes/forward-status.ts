import {
  type ForwardStatus,
  zeroForwardFigures,
} from "../../../src/application/forwarding/forward-status.ts";

/** Returns the status of an upstream that is temporarily down, with no number at zero. */
export function forwardStatus(parts: Partial<ForwardStatus> = {}): ForwardStatus {
  const { batches, undeliverableSpans, ...others } = zeroForwardFigures();
  return {
    state: "backing_off",
    pauseLeftMs: 1234.5,
    lastError: {
      message: "UNAVAILABLE: no route",
      hint: undefined,
      unixMs: Date.UTC(2026, 10, 24, 13, 4, 39, 7),
    },
    spansPerSecond: 1234.56,
    lagMs: 4200.25,
    figures: {
      ...others,
      batches: { ...batches, delivered: 21, partly_rejected: 22, retry: 23 },
      undeliverableSpans: { ...undeliverableSpans, invalid: 24, too_large: 25, rejected: 26 },
      retriedSpans: 27,
      inFlightBatches: 2,
      inFlightSpans: 1028,
    },
    ...parts,
  };
}
