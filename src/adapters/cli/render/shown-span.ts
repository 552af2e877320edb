import { isMessage } from "../../api-messages/message.ts";
import { missedSpans } from "../../api-messages/messages.ts";

/** The parts of a span that are shown. Its texts are unquoted text of a peer. */
export interface ShownSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** The parent; empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly kind: number;
  /** Undefined if the span has none. */
  readonly startNano: bigint | undefined;
  readonly endNano: bigint | undefined;
  readonly isError: boolean;
  readonly statusMessage: string;
  /** The type and the message of its last exception; empty if it has none. */
  readonly exception: string;
  readonly attributes: readonly ShownAttribute[];
}

export interface ShownAttribute {
  readonly key: string;
  readonly value: string;
}

export const KIND_WORDS = ["", "internal", "server", "client", "producer", "consumer"] as const;

const STATUS_ERROR = 2;

/** Matches an absent parent id, which some senders write as zeros. */
const ZEROS = /^0*$/;

/** Returns the duration; undefined if the start or the end is unknown. */
export function durationOf({
  startNano,
  endNano,
}: Pick<ShownSpan, "startNano" | "endNano">): bigint | undefined {
  return startNano === undefined || endNano === undefined ? undefined : endNano - startNano;
}

/**
 * Returns what went wrong: the exception of a failed span, and the status message, unless the
 * exception says the same.
 */
export function faultTexts({ isError, exception, statusMessage }: ShownSpan): string[] {
  const thrown = isError ? exception : "";
  const isNew = statusMessage !== "" && !thrown.includes(statusMessage);
  return [...(thrown === "" ? [] : [thrown]), ...(isNew ? [statusMessage] : [])];
}

/** Reads a line of NDJSON; returns undefined if it is not a JSON object. */
export function spanFromLine(line: string): ShownSpan | undefined {
  const span = parseObject(line);
  return span === undefined ? undefined : spanFromJson(span, textOf(span["service"]));
}

/** Reads a line `{"missed":N}` of a tail; undefined for any other line. */
export function missedFromLine(line: string): number | undefined {
  const object = line.startsWith('{"missed"') ? parseObject(line) : undefined;
  return isMessage(missedSpans(), object) ? object.missed : undefined;
}

/** Reads the spans of an OTLP/JSON request. Members of another shape are skipped. */
export function spansFromOtlpJson(request: unknown): ShownSpan[] {
  return listOf(objectOf(request)["resourceSpans"]).flatMap((resourceSpans) => {
    const attributes = attributesOf(objectOf(resourceSpans["resource"])["attributes"]);
    const service = attributes.find(({ key }) => key === "service.name")?.value;
    return listOf(resourceSpans["scopeSpans"])
      .flatMap(({ spans }) => listOf(spans))
      .map((span) => spanFromJson(span, service ?? "unknown_service"));
  });
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads one span. Proto3 JSON omits default values. */
export function spanFromJson(span: JsonObject, service: string): ShownSpan {
  const status = objectOf(span["status"]);
  return {
    traceId: textOf(span["traceId"]),
    spanId: textOf(span["spanId"]),
    parentSpanId: textOf(span["parentSpanId"]).replace(ZEROS, ""),
    name: textOf(span["name"]),
    service,
    kind: Number(span["kind"] ?? 0),
    startNano: nanosOf(span["startTimeUnixNano"]),
    endNano: nanosOf(span["endTimeUnixNano"]),
    isError: status["code"] === STATUS_ERROR,
    statusMessage: textOf(status["message"]),
    exception: exceptionOf(span["events"]),
    attributes: attributesOf(span["attributes"]),
  };
}

/** Source: OpenTelemetry, semantic conventions for exceptions. */
function exceptionOf(events: unknown): string {
  const last = listOf(events).findLast(({ name }) => name === "exception");
  const attributes = attributesOf(last?.["attributes"]);
  const parts = ["exception.type", "exception.message"].map(
    (wanted) => attributes.find(({ key }) => key === wanted)?.value ?? "",
  );
  return parts.filter((part) => part !== "").join(": ");
}

export function attributesOf(attributes: unknown): ShownAttribute[] {
  return listOf(attributes).map(({ key, value }) => ({
    key: textOf(key),
    value: valueText(value),
  }));
}

/** The depth beyond which values are shown as JSON, so that no peer can cause deep recursion. */
const MAX_VALUE_DEPTH = 32;

/** Returns the value of an `AnyValue`: `x`, `5`, `[a, b]`, `{key: value}`; empty if none is set. */
function valueText(anyValue: unknown, depth = 0): string {
  if (depth > MAX_VALUE_DEPTH) return JSON.stringify(anyValue);
  const [[kind, value] = ["", ""]] = Object.entries(objectOf(anyValue));
  if (kind === "arrayValue") return `[${innerTexts(value, depth).join(", ")}]`;
  if (kind === "kvlistValue") return `{${pairTexts(value, depth).join(", ")}}`;
  return typeof value === "object" ? JSON.stringify(value) : textOf(value);
}

function innerTexts(arrayValue: unknown, depth: number): string[] {
  return listOf(objectOf(arrayValue)["values"]).map((each) => valueText(each, depth + 1) || "null");
}

function pairTexts(kvlistValue: unknown, depth: number): string[] {
  const pairs = listOf(objectOf(kvlistValue)["values"]);
  return pairs.map(({ key, value }) => `${textOf(key)}: ${valueText(value, depth + 1)}`);
}

/** Reads a time; 0 means that it was not set. */
export function nanosOf(value: unknown): bigint | undefined {
  const text = textOf(value);
  return (/^\d{1,20}$/.test(text) && BigInt(text)) || undefined;
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : String(value);
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null ? (value as JsonObject) : {};
}

export function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

export function parseObject(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
