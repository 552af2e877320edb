/**
 * A decoded span with everything that OTLP carries.
 *
 * Identifiers are lowercase hex, times are Unix nanoseconds, and 64-bit integers are `bigint`, so
 * that no value is rounded. Source: opentelemetry-proto, trace/v1/trace.proto.
 */
export interface TraceSpan {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  /** 16 hex digits; absent on a root span. */
  readonly parentSpanId?: string;
  /** W3C `tracestate`, or the empty string. */
  readonly traceState: string;
  /** Bits 0-7 are the W3C trace flags; the other bits are unchanged. */
  readonly flags: number;
  readonly name: string;
  /** SpanKind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** 0n when the sender did not set it. */
  readonly startTimeUnixNano: bigint;
  /** 0n when the sender did not set it. */
  readonly endTimeUnixNano: bigint;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly events: readonly SpanEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinksCount: number;
  readonly status: SpanStatus;
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

export interface SpanEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
}

export interface SpanLink {
  /** 32 hex digits, which may all be zero, or empty. */
  readonly traceId: string;
  /** 16 hex digits, which may all be zero, or empty. */
  readonly spanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
}

export interface SpanStatus {
  /** StatusCode: 0 unset, 1 ok, 2 error. */
  readonly code: number;
  readonly message: string;
}

/** The entity that produced the span, and the schema of its attributes. */
export interface Resource {
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly entityRefs: readonly EntityRef[];
  readonly schemaUrl: string;
}

export interface EntityRef {
  readonly schemaUrl: string;
  readonly type: string;
  readonly idKeys: readonly string[];
  readonly descriptionKeys: readonly string[];
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/** One of a list of attributes, which keeps its order and its duplicate keys as OTLP does. */
export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** An OTLP `AnyValue`; `null` stands for one without a value. */
export type AttributeValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly type: "array"; readonly value: readonly AttributeValue[] }
  | { readonly type: "kvlist"; readonly value: readonly Attribute[] }
  | null;
