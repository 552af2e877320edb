import type { JsonSchema } from "./parameter.ts";
import { MESSAGE_SCHEMAS } from "./openapi-messages.ts";

const TEXT = { type: "string" };
const ANY = { type: "object" };
const COUNT = { type: "integer", minimum: 0 };
const UNIX_NANOSECONDS = { type: "string", pattern: String.raw`^\d{1,20}$` };

/** All members are there, always; and there may be more in a later version. */
function object(properties: JsonSchema, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const PROBLEM_MEMBERS = {
  type: TEXT,
  title: TEXT,
  status: { type: "integer", minimum: 400, maximum: 599 },
  detail: TEXT,
  parameter: { ...TEXT, description: "The parameter that is to blame." },
};

const RANGE = refTo("SequenceRange");
const SPANS = refTo("ExportTraceServiceRequest");

const SPAN_MEMBERS = MESSAGE_SCHEMAS["Span"]?.["properties"] as JsonSchema;

/** The bodies of answers. The names are those in `routes.ts`. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...MESSAGE_SCHEMAS,
  Health: object({ status: { enum: ["alive", "starting", "ready", "stopping"] } }),
  Ledger: {
    ...object({
      received: COUNT,
      rejected: COUNT,
      accepted: COUNT,
      buffered: COUNT,
      taken: COUNT,
      delivered: COUNT,
      evicted: COUNT,
      undeliverable: COUNT,
    }),
    description:
      "received = rejected + accepted; accepted = " +
      "buffered + taken + delivered + evicted + undeliverable",
  },
  SequenceRange: {
    ...object({ first: COUNT, next: COUNT }),
    description: "The spans with first <= sequence < next.",
  },
  Stats: object({
    spans: refTo("Ledger"),
    bytes: refTo("Ledger"),
    capacity: object({ spans: COUNT, bytes: COUNT }),
    sequence: RANGE,
    uptime_seconds: { type: "number", minimum: 0 },
    version: TEXT,
  }),
  Services: object({
    services: listOf(
      object({
        service: TEXT,
        spans: refTo("Ledger"),
        bytes: refTo("Ledger"),
        lastSeen: { type: "string", format: "date-time" },
      }),
    ),
    sequence: RANGE,
  }),
  Cleared: object({ removed: COUNT, sequence: RANGE }),
  Traces: object({
    traces: listOf(
      object({
        traceId: { type: "string", pattern: "^[0-9a-f]{32}$" },
        root: { type: ["string", "null"], description: "Its name, once it has ended." },
        services: listOf(TEXT),
        spans: COUNT,
        errors: COUNT,
        startTimeUnixNano: UNIX_NANOSECONDS,
        durationNano: UNIX_NANOSECONDS,
      }),
    ),
    sequence: RANGE,
  }),
  SpanLine: {
    ...object(
      {
        sequence: COUNT,
        service: TEXT,
        ...SPAN_MEMBERS,
        resource: refTo("Resource"),
        scope: refTo("InstrumentationScope"),
      },
      Object.keys(SPAN_MEMBERS),
    ),
    description: "One line for each span: an OTLP/JSON Span with more members around it.",
  },
  TailLine: {
    anyOf: [
      refTo("SpanLine"),
      {
        ...object({ missed: COUNT }),
        description:
          "Spans that are missing before the next line: evicted before they could be looked at, " +
          "or not copied, for answers under way held too much memory.",
      },
    ],
  },
  Problem: object(PROBLEM_MEMBERS, ["parameter"]),
  NoTraceProblem: object({ ...PROBLEM_MEMBERS, sequence: RANGE }),
  TimeUpProblem: object(
    {
      ...PROBLEM_MEMBERS,
      found: COUNT,
      wanted: COUNT,
      nearest: {
        ...object({ without: TEXT, count: COUNT, spans: SPANS }),
        description:
          "What the same query found without its last condition: how many, and the newest few. " +
          "Not there when there was no condition, or no time to look for it.",
      },
      sequence: RANGE,
    },
    ["parameter", "nearest"],
  ),
  PresentProblem: object({ ...PROBLEM_MEMBERS, spans: SPANS, sequence: RANGE }, ["parameter"]),
  Description: object({ openapi: TEXT, info: ANY, paths: ANY, components: ANY }),
};
