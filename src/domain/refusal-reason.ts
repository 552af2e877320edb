/** Why spans can never be delivered: a few words for all upstreams, fit to label a metric. */
export const REFUSAL_REASONS = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "not_found",
  "unsupported",
  "redirected",
  "internal",
  "other",
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];
