import type { MaybeLater } from "../../../src/ports/trace-buffer.ts";

/** Returns a result that must be known at once, without reading from a disk. */
export function knownAtOnce<Result>(result: MaybeLater<Result>): Result {
  if (result instanceof Promise) throw new Error("the result is not known at once");
  return result;
}
