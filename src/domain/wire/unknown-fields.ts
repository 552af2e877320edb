import { type FieldScan, nextField, scanFrom } from "./field-scan.ts";
import { type MessageName, SCHEMA } from "./otlp-schema.ts";

const MAX_NAMED = 4;

/**
 * Returns the fields that OTLP does not have, as `ResourceSpans.1000`, in messages that may hold
 * spans; at most four, each once. The wire walk must have accepted the request. Slow, for requests
 * of which it must be said why no span was found in them.
 */
export function unknownFields(request: Uint8Array): readonly string[] {
  const found = new Set<string>();
  search(scanFrom(request, 0, request.length), "ExportTraceServiceRequest", found);
  return [...found];
}

/** Not recursive by what a peer sends: no message that may hold spans holds one of its kind. */
function search(scan: FieldScan, message: MessageName, found: Set<string>): void {
  while (found.size < MAX_NAMED && nextField(scan)) {
    const { bytes, fieldNumber, valueAt, at } = scan;
    const held = SCHEMA[message][fieldNumber];
    if (held === undefined) found.add(`${message}.${fieldNumber}`);
    if (held === "ResourceSpans" || held === "ScopeSpans") {
      search(scanFrom(bytes, valueAt, at), held, found);
    }
  }
}
