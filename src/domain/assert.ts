/** Asserts what must hold for every input; a failure is a fault of ours, never of a peer. */
export function assert(holds: boolean, belief: string): asserts holds {
  if (!holds) throw new AssertionError(belief);
}

export class AssertionError extends Error {
  override name = "AssertionError";
}
