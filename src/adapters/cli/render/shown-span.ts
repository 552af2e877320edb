/** What is shown of a span. Its texts are a peer's, as they came. */
export interface ShownSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly kind: number;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly isError: boolean;
  readonly statusMessage: string;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
}

export const KIND_WORDS = ["", "internal", "server", "client", "producer", "consumer"] as const;

const STATUS_ERROR = 2;

/** Of one line of NDJSON; `undefined` when it is no JSON object. */
export function spanFromLine(line: string): ShownSpan | undefined {
  const span = parseObject(line);
  return span === undefined ? undefined : spanFromJson(span, textOf(span["service"]));
}

/** A `{"missed":N}` among the lines of a tail. */
export function missedFromLine(line: string): number | undefined {
  const missed = line.startsWith('{"missed"') ? parseObject(line)?.["missed"] : undefined;
  return typeof missed === "number" ? missed : undefined;
}

/** Of an OTLP/JSON request. What has another shape is left out. */
export function spansFromOtlpJson(request: unknown): ShownSpan[] {
  return listOf(objectOf(request)["resourceSpans"]).flatMap((resourceSpans) => {
    const attributes = attributesOf(objectOf(resourceSpans["resource"])["attributes"]);
    const service = attributes.find(({ key }) => key === "service.name")?.value;
    return listOf(resourceSpans["scopeSpans"])
      .flatMap(({ spans }) => listOf(spans))
      .map((span) => spanFromJson(span, service ?? "unknown_service"));
  });
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Proto3 JSON leaves out what has its default value. */
function spanFromJson(span: JsonObject, service: string): ShownSpan {
  const status = objectOf(span["status"]);
  return {
    traceId: textOf(span["traceId"]),
    spanId: textOf(span["spanId"]),
    parentSpanId: textOf(span["parentSpanId"]),
    name: textOf(span["name"]),
    service,
    kind: Number(span["kind"] ?? 0),
    startNano: nanosOf(span["startTimeUnixNano"]),
    endNano: nanosOf(span["endTimeUnixNano"]),
    isError: status["code"] === STATUS_ERROR,
    statusMessage: textOf(status["message"]),
    attributes: attributesOf(span["attributes"]),
  };
}

function attributesOf(attributes: unknown) {
  return listOf(attributes).map(({ key, value }) => ({
    key: textOf(key),
    value: valueText(value),
  }));
}

/** The value within an `AnyValue`: as it is when it is simple, and as JSON when it is not. */
function valueText(anyValue: unknown): string {
  const value = Object.values(objectOf(anyValue))[0];
  return typeof value === "object" ? JSON.stringify(value) : textOf(value);
}

function nanosOf(value: unknown): bigint {
  const text = textOf(value);
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : String(value);
}

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null ? (value as JsonObject) : {};
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function parseObject(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
