/**
 * Field numbers and tags (field number << 3 | wire type) of the OTLP schema. They are literals,
 * which a bundler inlines, because a table lookup would be a load in the loops of the walk. The
 * type of each literal is computed from the table, so a literal that is missing from the table or
 * belongs to another field does not compile.
 */
import type { MessageName, OTLP } from "./otlp-schema.ts";

type FieldName<Message extends MessageName> = keyof (typeof OTLP)[Message];

type Spec<
  Message extends MessageName,
  Name extends FieldName<Message>,
> = (typeof OTLP)[Message][Name] extends readonly [infer Field, infer Kind]
  ? { field: Field; kind: Kind }
  : never;

/** The number of a field, as a literal type. */
type FieldOf<Message extends MessageName, Name extends FieldName<Message>> = Spec<
  Message,
  Name
>["field"];

type WireTypeOf<Kind> = Kind extends "bool" | "enum" | "uint32" | "int64" | "profiles_only"
  ? 0
  : Kind extends "double" | "fixed64"
    ? 1
    : Kind extends "fixed32"
      ? 5
      : 2;

/** Counts by the lengths of tuples, the only arithmetic that types have. */
type Units<Count, Row extends unknown[] = []> = Row["length"] extends Count
  ? Row
  : Units<Count, [...Row, unknown]>;
type Times8<Row extends unknown[]> = [
  ...Row,
  ...Row,
  ...Row,
  ...Row,
  ...Row,
  ...Row,
  ...Row,
  ...Row,
];

/** The tag of a field, as a literal type. */
type TagOf<Message extends MessageName, Name extends FieldName<Message>> = [
  ...Times8<Units<FieldOf<Message, Name>>>,
  ...Units<WireTypeOf<Spec<Message, Name>["kind"]>>,
]["length"];

export const RESOURCE_SPANS_FIELD: FieldOf<"ExportTraceServiceRequest", "resourceSpans"> = 1;
export const RESOURCE_SPANS_TAG: TagOf<"ExportTraceServiceRequest", "resourceSpans"> = 0x0a;
export const RESOURCE_FIELD: FieldOf<"ResourceSpans", "resource"> = 1;
export const RESOURCE_ATTRIBUTES_FIELD: FieldOf<"Resource", "attributes"> = 1;
export const SCOPE_SPANS_FIELD: FieldOf<"ResourceSpans", "scopeSpans"> = 2;
export const SPANS_FIELD: FieldOf<"ScopeSpans", "spans"> = 2;
export const SPANS_TAG: TagOf<"ScopeSpans", "spans"> = 0x12;

export const TRACE_ID_TAG: TagOf<"Span", "traceId"> = 0x0a;
export const SPAN_ID_TAG: TagOf<"Span", "spanId"> = 0x12;
export const TRACE_STATE_TAG: TagOf<"Span", "traceState"> = 0x1a;
export const PARENT_SPAN_ID_TAG: TagOf<"Span", "parentSpanId"> = 0x22;
export const NAME_FIELD: FieldOf<"Span", "name"> = 5;
export const NAME_TAG: TagOf<"Span", "name"> = 0x2a;
export const KIND_FIELD: FieldOf<"Span", "kind"> = 6;
export const KIND_TAG: TagOf<"Span", "kind"> = 0x30;
export const START_TIME_FIELD: FieldOf<"Span", "startTimeUnixNano"> = 7;
export const START_TIME_TAG: TagOf<"Span", "startTimeUnixNano"> = 0x39;
export const END_TIME_FIELD: FieldOf<"Span", "endTimeUnixNano"> = 8;
export const END_TIME_TAG: TagOf<"Span", "endTimeUnixNano"> = 0x41;
export const ATTRIBUTES_FIELD: FieldOf<"Span", "attributes"> = 9;
export const ATTRIBUTES_TAG: TagOf<"Span", "attributes"> = 0x4a;
// Some encoders write these even if they are zero, for example the SDK for JavaScript.
export const DROPPED_ATTRIBUTES_TAG: TagOf<"Span", "droppedAttributesCount"> = 0x50;
export const DROPPED_EVENTS_TAG: TagOf<"Span", "droppedEventsCount"> = 0x60;
export const DROPPED_LINKS_TAG: TagOf<"Span", "droppedLinksCount"> = 0x70;
export const EVENTS_FIELD: FieldOf<"Span", "events"> = 11;
export const LINKS_FIELD: FieldOf<"Span", "links"> = 13;
export const STATUS_FIELD: FieldOf<"Span", "status"> = 15;
export const STATUS_TAG: TagOf<"Span", "status"> = 0x7a;
/** The only tag of two bytes: its number, and its bytes on the wire. */
export const FLAGS_TAG: TagOf<"Span", "flags"> = 0x85;
export const FLAGS_TAG_BYTE_0 = 0x85;
export const FLAGS_TAG_BYTE_1 = 0x01;

export const STATUS_MESSAGE_FIELD: FieldOf<"Status", "message"> = 2;
export const STATUS_CODE_FIELD: FieldOf<"Status", "code"> = 3;
export const STATUS_CODE_TAG: TagOf<"Status", "code"> = 0x18;
export const EVENT_NAME_FIELD: FieldOf<"Event", "name"> = 2;
export const EVENT_ATTRIBUTES_FIELD: FieldOf<"Event", "attributes"> = 3;
export const EVENT_ATTRIBUTES_TAG: TagOf<"Event", "attributes"> = 0x1a;
export const LINK_TRACE_ID_FIELD: FieldOf<"Link", "traceId"> = 1;
export const LINK_SPAN_ID_FIELD: FieldOf<"Link", "spanId"> = 2;
export const LINK_ATTRIBUTES_FIELD: FieldOf<"Link", "attributes"> = 4;
export const LINK_ATTRIBUTES_TAG: TagOf<"Link", "attributes"> = 0x22;

export const KEY_FIELD: FieldOf<"KeyValue", "key"> = 1;
export const KEY_TAG: TagOf<"KeyValue", "key"> = 0x0a;
export const VALUE_FIELD: FieldOf<"KeyValue", "value"> = 2;
export const VALUE_TAG: TagOf<"KeyValue", "value"> = 0x12;

/** The members of an AnyValue, by field number. */
export const STRING_VALUE: FieldOf<"AnyValue", "stringValue"> = 1;
export const BOOL_VALUE: FieldOf<"AnyValue", "boolValue"> = 2;
export const INT_VALUE: FieldOf<"AnyValue", "intValue"> = 3;
export const DOUBLE_VALUE: FieldOf<"AnyValue", "doubleValue"> = 4;
export const ARRAY_VALUE: FieldOf<"AnyValue", "arrayValue"> = 5;
export const KVLIST_VALUE: FieldOf<"AnyValue", "kvlistValue"> = 6;
export const LIST_ITEMS_FIELD: FieldOf<"ArrayValue" | "KeyValueList", "values"> = 1;
/** An indexed string of profiles. It reads as absent, but unsets the member before it. */
export const STRING_INDEX_VALUE: FieldOf<"AnyValue", "stringValueStrindex"> = 8;
export const STRING_VALUE_TAG: TagOf<"AnyValue", "stringValue"> = 0x0a;
export const BOOL_VALUE_TAG: TagOf<"AnyValue", "boolValue"> = 0x10;
export const INT_VALUE_TAG: TagOf<"AnyValue", "intValue"> = 0x18;
export const DOUBLE_VALUE_TAG: TagOf<"AnyValue", "doubleValue"> = 0x21;
