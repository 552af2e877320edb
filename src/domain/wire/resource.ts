import { type FieldScan, nextField, point, scanFrom, type ByteRange } from "./field-scan.ts";
import { RESOURCE_ATTRIBUTES_FIELD, RESOURCE_FIELD, STRING_VALUE } from "./otlp-tags.ts";
import { createEncodedAttribute, readAttribute } from "./attribute.ts";
import { isSame, textBetween } from "./scalars.ts";

/**
 * A position among the attributes of a resource. A ResourceSpans message may hold its resource in
 * several pieces, whose attributes follow one another.
 *
 *   [ Resource [ attribute ][ attribute ] ][ ScopeSpans ... ][ Resource [ attribute ] ]
 *                           ^attributes                                              ^around.end
 */
export interface ResourceScan {
  readonly around: FieldScan;
  /** After each step, the body of the attribute spans `valueAt` to `at`. */
  readonly attributes: FieldScan;
}

export function createResourceScan(): ResourceScan {
  const nothing = new Uint8Array(0);
  return { around: scanFrom(nothing, 0, 0), attributes: scanFrom(nothing, 0, 0) };
}

/** Moves a scan to the first attribute of the ResourceSpans message at `offset`. */
export function scanResource(
  scan: ResourceScan,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  point(scan.around, bytes, offset, offset + length);
  point(scan.attributes, bytes, offset, offset);
}

/** Steps to the next attribute; returns false after the last. */
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

/**
 * The service of a resource without a service name. Source: OpenTelemetry, semantic conventions for
 * services.
 */
const UNKNOWN_SERVICE = "unknown_service";

const SERVICE_NAME_KEY = new TextEncoder().encode("service.name");

/** Returns the service of all spans in a ResourceSpans message, whose body starts at `offset`. */
export function serviceName(bytes: Uint8Array, offset: number, length: number): string {
  const range = serviceNameRange(bytes, offset, length);
  return range === undefined ? UNKNOWN_SERVICE : textBetween(bytes, range.start, range.end);
}

// Each call reuses these. Every thread has its own modules.
const scan = createResourceScan();
const attribute = createEncodedAttribute();

/** Returns the range of the name: the first attribute with that key and a string value. */
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

/** Returns the name as UTF-8: a view of `bytes`, or the default name. */
export function serviceNameBytes(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const range = serviceNameRange(bytes, offset, length);
  return range === undefined ? UNKNOWN_SERVICE_BYTES : bytes.subarray(range.start, range.end);
}
