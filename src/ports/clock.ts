/** Time that only moves forward, in milliseconds since some fixed instant. */
export interface Clock {
  monotonicMs(): number;
}
