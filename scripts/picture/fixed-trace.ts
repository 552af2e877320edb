const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
/** 2026-01-01, 12:00:00 UTC. */
const START_MS = 1_767_268_800_000;

const SHOP = [
  { id: 1, name: "POST /orders", kind: 2, startMs: 0, endMs: 84 },
  { id: 2, parent: 1, name: "SELECT carts", kind: 3, startMs: 3, endMs: 9 },
  { id: 3, parent: 1, name: "POST /charges", kind: 3, startMs: 11, endMs: 80 },
];

const PAYMENTS = [
  { id: 4, parent: 3, name: "POST /charges", kind: 2, startMs: 14, endMs: 78 },
  {
    id: 5,
    parent: 4,
    name: "charge card",
    kind: 1,
    startMs: 16,
    endMs: 77,
    error: "card declined",
  },
];

/** Returns an order in two services, whose card is declined, as an export request. */
export function fixedTrace(): object {
  return { resourceSpans: [resourceSpans("shop", SHOP), resourceSpans("payments", PAYMENTS)] };
}

interface FixedSpan {
  readonly id: number;
  readonly parent?: number;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly error?: string;
}

function resourceSpans(service: string, spans: readonly FixedSpan[]): object {
  const attributes = [{ key: "service.name", value: { stringValue: service } }];
  return { resource: { attributes }, scopeSpans: [{ spans: spans.map(otlpSpan) }] };
}

function otlpSpan({ id, parent, name, kind, startMs, endMs, error }: FixedSpan): object {
  return {
    traceId: TRACE_ID,
    spanId: spanId(id),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    name,
    kind,
    startTimeUnixNano: `${START_MS + startMs}000000`,
    endTimeUnixNano: `${START_MS + endMs}000000`,
    status: error === undefined ? { code: 1 } : { code: 2, message: error },
  };
}

function spanId(id: number): string {
  return id.toString(16).padStart(16, "0");
}
