import type {
  Attribute,
  AttributeValue,
  SpanEvent,
  SpanLink,
  TraceSpan,
} from "../../../src/domain/trace-span.ts";

/** A span in the terms of the SDK, as `sdk-client.mjs` prints it. */
export interface EmittedSpan {
  readonly context: EmittedContext;
  readonly parent?: EmittedContext;
  readonly name: string;
  /** The kind; the SDK counts from 0, OTLP from 1. */
  readonly kind: number;
  readonly startTime: EmittedTime;
  readonly endTime: EmittedTime;
  readonly attributes: EmittedAttributes;
  readonly droppedAttributesCount: number;
  readonly events: readonly EmittedEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly EmittedLink[];
  readonly droppedLinksCount: number;
  readonly status: { readonly code: number; readonly message?: string };
  readonly resource: { readonly attributes: EmittedAttributes; readonly schemaUrl?: string };
  readonly scope: {
    readonly name: string;
    readonly version?: string;
    readonly schemaUrl?: string;
  };
}

interface EmittedContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
  readonly traceState?: string;
}

interface EmittedEvent {
  readonly name: string;
  readonly time: EmittedTime;
  readonly attributes?: EmittedAttributes;
  readonly droppedAttributesCount?: number;
}

interface EmittedLink {
  readonly context: EmittedContext;
  readonly attributes?: EmittedAttributes;
  readonly droppedAttributesCount?: number;
}

/** A time as seconds and nanoseconds. */
type EmittedTime = readonly [number, number];

type EmittedAttributes = Readonly<Record<string, EmittedValue>>;

type EmittedValue =
  | null
  | string
  | boolean
  | number
  | readonly EmittedValue[]
  | { readonly $bytes: readonly number[] }
  | { readonly $number: string }
  | { readonly [key: string]: EmittedValue };

/** Returns the span as readers of OTLP should see it. */
export function traceSpanOf(span: EmittedSpan): TraceSpan {
  const { context, parent, resource, scope } = span;
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    traceState: context.traceState ?? "",
    flags: flagsOf(context.traceFlags, parent?.isRemote),
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: nanosecondsOf(span.startTime),
    endTimeUnixNano: nanosecondsOf(span.endTime),
    attributes: attributesOf(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(eventOf),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(linkOf),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: span.status.code, message: span.status.message ?? "" },
    resource: {
      attributes: attributesOf(resource.attributes),
      droppedAttributesCount: 0,
      entityRefs: [],
      schemaUrl: resource.schemaUrl ?? "",
    },
    scope: {
      name: scope.name,
      version: scope.version ?? "",
      attributes: [],
      droppedAttributesCount: 0,
      schemaUrl: scope.schemaUrl ?? "",
    },
  };
}

function eventOf(event: EmittedEvent): SpanEvent {
  return {
    timeUnixNano: nanosecondsOf(event.time),
    name: event.name,
    attributes: attributesOf(event.attributes ?? {}),
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  };
}

function linkOf({ context, attributes, droppedAttributesCount }: EmittedLink): SpanLink {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    traceState: context.traceState ?? "",
    flags: flagsOf(context.traceFlags, context.isRemote),
    attributes: attributesOf(attributes ?? {}),
    droppedAttributesCount: droppedAttributesCount ?? 0,
  };
}

/**
 * Returns the trace flags, and two bits: whether it is known that the other span is remote, and
 * whether it is.
 */
function flagsOf(traceFlags: number, isRemote = false): number {
  return traceFlags + 0x100 + (isRemote ? 0x200 : 0);
}

function nanosecondsOf([seconds, nanoseconds]: EmittedTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function attributesOf(attributes: EmittedAttributes): Attribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: EmittedValue): AttributeValue {
  if (value === null) return null;
  if (typeof value === "string") return { type: "string", value };
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value === "number") return numberOf(value);
  if (isList(value)) return { type: "array", value: value.map(valueOf) };
  if (isBytes(value)) return { type: "bytes", value: Uint8Array.from(value.$bytes) };
  if (isSpecialNumber(value)) return { type: "double", value: Number(value.$number) };
  return { type: "kvlist", value: attributesOf(value) };
}

/** Returns the value of a number. Integers that fit into 64 bits are sent as integers. */
function numberOf(value: number): AttributeValue {
  const isInt = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return isInt ? { type: "int", value: BigInt(value) } : { type: "double", value };
}

type EmittedObject = Exclude<EmittedValue, null | string | boolean | number>;

function isList(value: EmittedObject): value is readonly EmittedValue[] {
  return Array.isArray(value);
}

function isBytes(value: EmittedObject): value is { readonly $bytes: readonly number[] } {
  return "$bytes" in value;
}

function isSpecialNumber(value: EmittedObject): value is { readonly $number: string } {
  return "$number" in value;
}
