/** The parts of OTLP/JSON that the page shows. Numbers of 64 bits are strings. */
export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number | string;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}

export interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue;
}

export interface OtlpEvent {
  readonly timeUnixNano?: string;
  readonly name?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface OtlpLink {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly KeyValue[];
  readonly events?: readonly OtlpEvent[];
  readonly links?: readonly OtlpLink[];
  readonly flags?: number;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly droppedAttributesCount?: number;
  readonly droppedEventsCount?: number;
  readonly droppedLinksCount?: number;
}

export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface Resource {
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

/** The response for the spans of a trace. */
export interface TracesData {
  readonly resourceSpans?: readonly {
    readonly resource?: Resource;
    readonly schemaUrl?: string;
    readonly scopeSpans?: readonly {
      readonly scope?: Scope;
      readonly schemaUrl?: string;
      readonly spans?: OtlpSpan[];
    }[];
  }[];
}

export const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/** Returns the value as text; arrays as `[a, b]`, maps as `{a: 1}`. */
export function valueText(value: AnyValue | undefined): string {
  if (value === undefined) return "";
  if (value.arrayValue !== undefined) {
    return `[${(value.arrayValue.values ?? []).map(valueText).join(", ")}]`;
  }
  if (value.kvlistValue !== undefined) {
    const pairs = value.kvlistValue.values ?? [];
    return `{${pairs.map((each) => `${each.key ?? ""}: ${valueText(each.value)}`).join(", ")}}`;
  }
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value;
  return String(stringValue ?? boolValue ?? intValue ?? doubleValue ?? bytesValue ?? "");
}

const TYPE_OF_MEMBER: Readonly<Record<string, string>> = {
  boolValue: "bool",
  intValue: "int",
  doubleValue: "double",
  bytesValue: "bytes, in base64",
  arrayValue: "array",
  kvlistValue: "map",
};

/** Returns the type of a value, which its text does not show; empty for a string. */
export function typeText(value: AnyValue = {}): string {
  return TYPE_OF_MEMBER[Object.keys(value)[0] ?? "stringValue"] ?? "";
}

export function attributeText(attributes: readonly KeyValue[] = [], key: string): string {
  return valueText(attributes.find((each) => each.key === key)?.value);
}

/** Returns the name of the service, as the API does. */
export function serviceOf(resource: Resource | undefined): string {
  return attributeText(resource?.attributes, "service.name") || "unknown_service";
}
