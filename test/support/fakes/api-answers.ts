import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { type Answer, ndjson } from "./fake-api.ts";
import { requestOf } from "../requests/request-bytes.ts";
import { TRACE_ID } from "../requests/shown-spans.ts";

/** Returns a span as a line of NDJSON. */
export function lineOf(sequence: number, more: object = {}): object {
  return {
    sequence,
    service: "shop",
    traceId: TRACE_ID,
    spanId: String(sequence).padStart(16, "0"),
    name: `span ${sequence}`,
    startTimeUnixNano: "1753000000123000000",
    endTimeUnixNano: "1753000000135300000",
    resource: {},
    scope: {},
    ...more,
  };
}

export const SEQUENCE = { run_id: "3f9a0c5e7b21d804", first: 1, next: 10 };

/** Returns a summary of a trace, as the read API lists it. */
export function summaryOf(traceId: string, more: object = {}): object {
  return {
    traceId,
    root: "GET /",
    rootService: "shop",
    services: ["shop"],
    spans: 5,
    errors: 1,
    lastSequence: 9,
    startTimeUnixNano: "1753000000123000000",
    durationNano: "12300000",
    ...more,
  };
}

export const SPAN_COUNT = 3;
export const REQUEST = requestOf(SPAN_COUNT);

/** Responds with three spans in the requested format, like the read API. */
export const threeSpans: Answer = ({ headers }) => {
  const type = headers.get("accept") ?? "";
  if (type === "application/x-ndjson") return ndjson(lineOf(1), lineOf(2), lineOf(3));
  const body = type === "application/x-protobuf" ? REQUEST : `${otlpJson(REQUEST)}\n`;
  return new Response(body, { headers: { "Content-Type": type } });
};

/** Responds in the same formats, without spans. */
export const noSpans: Answer = ({ headers }) => {
  const type = headers.get("accept") ?? "";
  const body = type === "application/json" ? '{"resourceSpans":[]}\n' : "";
  return new Response(body, { headers: { "Content-Type": type } });
};
