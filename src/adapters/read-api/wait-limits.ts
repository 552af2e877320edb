/** At a time. Each costs a connection, a timer and a subscription, some kilobytes together. */
export const MAX_WAITS = 10_000;

/** Traces that are followed by all who wait for one to be complete: each costs a timer and more. */
export const MAX_FOLLOWED_TRACES = 8_192;

/** Of these, by one who waits: a filter that all traces match does not take what others need. */
export const MAX_FOLLOWED_BY_ONE = 1_024;
