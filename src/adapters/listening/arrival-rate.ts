/** The time after which a message must have arrived at the minimum rate on average. */
const SLOW_START_MS = 2_000;
const MIN_BYTES_A_SECOND = 1024;

/**
 * Reports whether a message arrives too slowly: a peer could otherwise hold its memory and its
 * permit for the whole time limit, at the cost of a few bytes.
 */
export function isTooSlow(arrivedBytes: number, ageMs: number): boolean {
  return ageMs >= SLOW_START_MS && arrivedBytes * 1000 < ageMs * MIN_BYTES_A_SECOND;
}
