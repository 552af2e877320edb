import type { ShownSpan } from "../../../src/adapters/cli/render/shown-span.ts";

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

/** 2025-07-20 08:26:40.123 UTC. */
export const BEGAN_NANO = 1_753_000_000_123_000_000n;

export interface SpanTimes {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Returns a printed span of the trace, with times relative to the start of the trace. */
export function shownSpan(
  spanId: string,
  parentSpanId: string,
  { fromMs, toMs }: SpanTimes,
  more: Partial<ShownSpan> = {},
): ShownSpan {
  return {
    traceId: TRACE_ID,
    spanId,
    parentSpanId,
    name: `span ${spanId}`,
    service: "shop",
    kind: 2,
    startNano: BEGAN_NANO + nanos(fromMs),
    endNano: BEGAN_NANO + nanos(toMs),
    isError: false,
    statusMessage: "",
    exception: "",
    attributes: [],
    ...more,
  };
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

/** Text that would control a terminal or reverse a line. */
export const HOSTILE_NAME = "evil \u001b[2J\u001b]0;title\u0007\u202ename\r\nforged\u009b31m";

/**
 * Matches characters of a peer that must never reach a terminal: all control and format characters
 * but "\n".
 */
export const UNSAFE_TEXT = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** A trace with a bit of everything. */
export const VARIED_TRACE: readonly ShownSpan[] = [
  shownSpan("a", "", { fromMs: 0, toMs: 120 }, { name: "GET /orders/{id}" }),
  shownSpan("b", "a", { fromMs: 1, toMs: 9.5 }, { name: "authenticate", service: "auth" }),
  shownSpan("c", "b", { fromMs: 2, toMs: 4 }, { name: "SELECT users", service: "db", kind: 3 }),
  shownSpan(
    "d",
    "a",
    { fromMs: 10, toMs: 80 },
    {
      name: "SELECT orders",
      service: "db",
      kind: 3,
      isError: true,
      statusMessage: "deadlock detected",
      attributes: [{ key: "db.system", value: "postgresql" }],
    },
  ),
  shownSpan("e", "a", { fromMs: 81, toMs: 81 }, { name: "render", kind: 1 }),
  shownSpan("f", "a", { fromMs: -3, toMs: 2 }, { name: "another clock", service: "cache" }),
  shownSpan(
    "g",
    "00f067aa0ba902b7",
    { fromMs: 50, toMs: 200 },
    { name: "orphaned work whose name is far too long for eighty columns", service: "worker" },
  ),
  shownSpan("h", "g", { fromMs: 60, toMs: 70 }, { name: "日本語の名前", service: "worker" }),
  shownSpan("i", "g", { fromMs: 61, toMs: 70 }, { name: HOSTILE_NAME, service: "worker" }),
];
