import { attribute, request, resourceSpans, spanId, traceId } from "./request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "./wire-bytes.ts";

/** A span as tests of expectations describe it. Its id is `id`, in trace 1 unless given. */
export interface DescribedSpan {
  readonly id: number;
  readonly name: string;
  readonly service?: string;
  readonly trace?: number;
  readonly parent?: number;
  readonly kind?: number;
  readonly status?: number;
  readonly startNano?: bigint;
  readonly endNano?: bigint;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly events?: readonly DescribedPart[];
  readonly links?: readonly (Omit<DescribedPart, "name"> & { id: number; trace?: number })[];
}

interface DescribedPart {
  readonly name: string;
  readonly attributes?: DescribedSpan["attributes"];
}

/** An order that fails in the database, and a job that is linked to it. */
export const SHOP: readonly DescribedSpan[] = [
  {
    id: 1,
    name: "GET /orders",
    kind: 2,
    startNano: 1_000n,
    endNano: 900_001_000n,
    attributes: { "http.route": "/orders", "http.response.status_code": 500 },
  },
  { id: 2, name: "authorize", parent: 1, kind: 1, startNano: 2_000n, endNano: 3_000n },
  {
    id: 3,
    name: "SELECT orders",
    service: "db",
    parent: 2,
    kind: 3,
    status: 2,
    startNano: 4_000n,
    endNano: 5_000n,
    attributes: { "db.system": "postgresql" },
    events: [
      { name: "retry", attributes: { "retry.count": 2 } },
      { name: "exception", attributes: { "exception.type": "TimeoutError" } },
    ],
  },
  { id: 4, name: "charge", parent: 1, kind: 3, startNano: 6_000n, endNano: 7_000n },
  { id: 5, name: "GET /health", trace: 2, kind: 2, startNano: 1n, endNano: 2n },
  {
    id: 6,
    name: "email",
    trace: 3,
    kind: 5,
    startNano: 9_000n,
    links: [{ id: 1, attributes: { "link.kind": "follows" } }],
  },
];

/** Returns one request for each span, so that each arrives on its own. */
export function describedRequests(spans: readonly DescribedSpan[]): Uint8Array<ArrayBuffer>[] {
  return spans.map((span) => request(resourceSpans(span.service ?? "shop", spanField(span))));
}

function spanField(span: DescribedSpan): number[] {
  const { id, trace = 1, parent, name, kind = 0, startNano = 0n, endNano = 0n } = span;
  return bytesField(
    2,
    bytesField(1, traceId(trace)),
    bytesField(2, spanId(id)),
    ...(parent === undefined ? [] : [bytesField(4, spanId(parent))]),
    bytesField(5, name),
    varintField(6, kind),
    fixed64Field(7, startNano),
    fixed64Field(8, endNano),
    ...attributesOf(9, span.attributes),
    ...(span.events ?? []).map((event) =>
      bytesField(11, bytesField(2, event.name), ...attributesOf(3, event.attributes)),
    ),
    ...(span.links ?? []).map((link) =>
      bytesField(
        13,
        bytesField(1, traceId(link.trace ?? 1)),
        bytesField(2, spanId(link.id)),
        ...attributesOf(4, link.attributes),
      ),
    ),
    ...(span.status === undefined ? [] : [bytesField(15, varintField(3, span.status))]),
  );
}

function attributesOf(field: number, attributes: DescribedSpan["attributes"] = {}): number[][] {
  return Object.entries(attributes).map(([key, value]) =>
    bytesField(field, typeof value === "string" ? attribute(key, value) : other(key, value)),
  );
}

function other(key: string, value: number | boolean): number[] {
  const member = typeof value === "boolean" ? varintField(2, Number(value)) : varintField(3, value);
  return [...bytesField(1, key), ...bytesField(2, member)];
}
