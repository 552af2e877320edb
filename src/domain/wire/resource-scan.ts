import { type FieldScan, nextField, point, scanFrom } from "./field-scan.ts";
import { RESOURCE_ATTRIBUTES_FIELD, RESOURCE_FIELD } from "./otlp-tags.ts";

/**
 * A place among the attributes of a resource. A ResourceSpans message may hold its resource in
 * several pieces, which mean one: their attributes follow one another.
 *
 *   [ Resource [ attribute ][ attribute ] ][ ScopeSpans ... ][ Resource [ attribute ] ]
 *                           ^attributes                                              ^around.end
 */
export interface ResourceScan {
  readonly around: FieldScan;
  /** After each step: the attribute's body lies from `valueAt` up to `at`. */
  readonly attributes: FieldScan;
}

export function createResourceScan(): ResourceScan {
  const nothing = new Uint8Array(0);
  return { around: scanFrom(nothing, 0, 0), attributes: scanFrom(nothing, 0, 0) };
}

/** Before the first attribute of the ResourceSpans message whose body lies at `offset`. */
export function scanResource(
  scan: ResourceScan,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  point(scan.around, bytes, offset, offset + length);
  point(scan.attributes, bytes, offset, offset);
}

/** Steps to the next attribute; false behind the last. */
export function nextAttribute({ around, attributes }: ResourceScan): boolean {
  for (;;) {
    while (nextField(attributes)) {
      if (attributes.fieldNumber === RESOURCE_ATTRIBUTES_FIELD) return true;
    }
    if (!nextField(around)) return false;
    if (around.fieldNumber === RESOURCE_FIELD) {
      point(attributes, around.bytes, around.valueAt, around.at);
    }
  }
}
