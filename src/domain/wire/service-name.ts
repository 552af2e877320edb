import { createEncodedAttribute, readAttribute } from "./attribute.ts";
import type { ByteRange } from "./field-run.ts";
import { STRING_VALUE } from "./otlp-tags.ts";
import { createResourceScan, nextAttribute, scanResource } from "./resource-scan.ts";
import { isSame, textBetween } from "./scalar-bytes.ts";

/** Of a resource that does not say. Source: OpenTelemetry, semantic conventions for services. */
export const UNKNOWN_SERVICE = "unknown_service";

const SERVICE_NAME_KEY = new TextEncoder().encode("service.name");

/** The service of all spans in a ResourceSpans message, whose body lies at `offset`. */
export function serviceName(bytes: Uint8Array, offset: number, length: number): string {
  const range = serviceNameRange(bytes, offset, length);
  return range === undefined ? UNKNOWN_SERVICE : textBetween(bytes, range.start, range.end);
}

// Used for one call at a time, and by one thread: each has modules of its own.
const scan = createResourceScan();
const attribute = createEncodedAttribute();

/** Where the name stands: in the first attribute of that key that holds a string. */
export function serviceNameRange(
  bytes: Uint8Array,
  offset: number,
  length: number,
): ByteRange | undefined {
  scanResource(scan, bytes, offset, length);
  while (nextAttribute(scan)) {
    readAttribute(attribute, bytes, scan.attributes.valueAt, scan.attributes.at);
    const { keyStart, keyEnd, member, valueStart, valueEnd } = attribute;
    if (member !== STRING_VALUE || !isSame(bytes, keyStart, keyEnd, SERVICE_NAME_KEY)) continue;
    return { start: valueStart, end: valueEnd };
  }
  return undefined;
}

const UNKNOWN_SERVICE_BYTES = new TextEncoder().encode(UNKNOWN_SERVICE);

/** The same undecoded: a view of `bytes`, or of the name for none. */
export function serviceNameBytes(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const range = serviceNameRange(bytes, offset, length);
  return range === undefined ? UNKNOWN_SERVICE_BYTES : bytes.subarray(range.start, range.end);
}
