/**
 * Asserts a condition that holds for any input. A failure is a bug in spanring, never the fault of
 * a peer.
 */
export function assert(holds: boolean, belief: string): asserts holds {
  if (!holds) throw new AssertionError(belief);
}

export class AssertionError extends Error {
  override name = "AssertionError";
}
