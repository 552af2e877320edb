import type { SpanLocation } from "../../domain/query/span-matcher.ts";
import { serviceName } from "../../domain/wire/resource.ts";

/**
 * Returns a function that reads the service of a span, and remembers it for the next spans of the
 * same resource. It may be used until the bytes change, which is for one visit of the ring.
 */
export function serviceReader(): (location: Readonly<SpanLocation>) => string {
  let knownOffset = -1;
  let known = "";
  return ({ bytes, resourceOffset, resourceLength }) => {
    if (resourceOffset === knownOffset) return known;
    knownOffset = resourceOffset;
    known = serviceName(bytes, resourceOffset, resourceLength);
    return known;
  };
}
