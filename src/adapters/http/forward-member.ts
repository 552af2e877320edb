import type { ForwardStatus } from "../../application/forwarding/forward-status.ts";

/** Where spans go on to, and how that is going. */
export interface ForwardReading {
  /** Without anything that may be secret. */
  readonly endpoint: string;
  readonly status: () => ForwardStatus;
}

/** The member `forward` of the books; `openapi-schemas.ts` has its schema. */
export function forwardMember({ endpoint, status }: ForwardReading): object {
  const { state, pauseLeftMs, lastError, spansPerSecond, lagMs, figures } = status();
  const { batches, undeliverableSpans, retriedSpans, inFlightBatches, inFlightSpans } = figures;
  return {
    endpoint,
    state,
    ...(state === "backing_off" ? { retry_in_ms: Math.ceil(pauseLeftMs) } : {}),
    ...(lastError === undefined ? {} : { last_error: errorMember(lastError) }),
    spans_per_second: Math.round(spansPerSecond * 10) / 10,
    lag_seconds: Math.round(lagMs) / 1000,
    in_flight: { batches: inFlightBatches, spans: inFlightSpans },
    retried_spans: retriedSpans,
    undeliverable: { ...undeliverableSpans },
    batches: { ...batches },
  };
}

function errorMember({ message, unixMs }: NonNullable<ForwardStatus["lastError"]>): object {
  return { message, time: new Date(unixMs).toISOString() };
}
