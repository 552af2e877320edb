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
    ...(isFailing(state) ? { retry_in_ms: Math.ceil(pauseLeftMs) } : {}),
    ...(lastError === undefined ? {} : { last_error: errorMember(lastError) }),
    spans_per_second: Math.round(spansPerSecond * 10) / 10,
    lag_seconds: Math.round(lagMs) / 1000,
    in_flight: { batches: inFlightBatches, spans: inFlightSpans },
    retried_spans: retriedSpans,
    undeliverable: { ...undeliverableSpans },
    batches: { ...batches },
  };
}

/** What `/readyz` says of forwarding: the state, and while it fails why, and what to check. */
export function forwardReadiness({ status }: ForwardReading): object {
  const { state, lastError } = status();
  const isTold = isFailing(state) && lastError !== undefined;
  return { state, ...(isTold ? { last_error: errorMember(lastError) } : {}) };
}

function isFailing(state: ForwardStatus["state"]): boolean {
  return state === "backing_off" || state === "blocked";
}

function errorMember({ message, hint, unixMs }: NonNullable<ForwardStatus["lastError"]>): object {
  const advice = hint === undefined ? {} : { hint };
  return { message, ...advice, time: new Date(unixMs).toISOString() };
}
