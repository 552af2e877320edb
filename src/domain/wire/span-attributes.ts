import { type FieldScan, NOT_PLAIN, plainFieldEnd, stepField } from "./field-scan.ts";
import { ATTRIBUTES_FIELD, ATTRIBUTES_TAG } from "./otlp-tags.ts";

/**
 * Steps to the next attribute of the span that the scan goes through; false behind the last. After
 * it, the attribute's body lies from `valueAt` up to `at`.
 */
export function nextSpanAttribute(scan: FieldScan): boolean {
  const { bytes, end } = scan;
  for (let at = scan.at; at < end;) {
    const fieldAt = at;
    at = plainFieldEnd(bytes, at);
    if (at === NOT_PLAIN) {
      scan.at = fieldAt;
      stepField(scan);
      at = scan.at;
      if (scan.fieldNumber === ATTRIBUTES_FIELD) return true;
    } else if (bytes[fieldAt] === ATTRIBUTES_TAG) {
      scan.valueAt = fieldAt + 2;
      scan.at = at;
      return true;
    }
  }
  return false;
}
