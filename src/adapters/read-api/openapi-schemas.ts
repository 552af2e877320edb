import {
  UNDELIVERABLE_REASONS,
  zeroForwardFigures,
} from "../../application/forwarding/forward-figures.ts";
import { UPSTREAM_STATES } from "../../application/forwarding/forward-status.ts";
import { PROBLEM_PROTOCOLS, PROBLEM_REASONS } from "../../domain/problem-reason.ts";
import type { JsonSchema } from "./parameter.ts";
import { type Field, type ScalarKind, type Shape, SHAPES } from "../otlp/json/json-shape.ts";

const UNSIGNED_32 = { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };

const SCALAR_SCHEMAS: Readonly<Record<ScalarKind, JsonSchema>> = {
  string: { type: "string" },
  hex: { type: "string", pattern: "^([0-9a-f]{2})*$" },
  base64: { type: "string", contentEncoding: "base64" },
  bool: { type: "boolean" },
  double: { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] },
  int32: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  uint32: UNSIGNED_32,
  int64: { type: "string", pattern: String.raw`^-?\d{1,19}$` },
  fixed32: UNSIGNED_32,
  fixed64: { type: "string", pattern: String.raw`^\d{1,20}$` },
};

/** The messages of a trace request in OTLP/JSON, from the table that they are written by. */
export const MESSAGE_SCHEMAS: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => [name, messageSchema(shape)]),
);

function messageSchema({ fields, isOneof }: Shape): JsonSchema {
  const shown = fields.filter(({ isProfilesOnly }) => !isProfilesOnly);
  const properties = Object.fromEntries(shown.map((field) => [field.name, fieldSchema(field)]));
  return { type: "object", properties, ...(isOneof ? { maxProperties: 1 } : {}) };
}

function fieldSchema({ value, isRepeated }: Field): JsonSchema {
  const schema = typeof value === "function" ? refTo(nameOfShape(value())) : SCALAR_SCHEMAS[value];
  return isRepeated ? { type: "array", items: schema } : schema;
}

function nameOfShape(shape: Shape): string {
  return Object.entries(SHAPES).find(([, each]) => each === shape)![0];
}

const TEXT = { type: "string" };
const ANY = { type: "object" };
const COUNT = { type: "integer", minimum: 0 };
const AMOUNT = { type: "number", minimum: 0 };
const TIME = { type: "string", format: "date-time" };
const TRACE_ID = { type: "string", pattern: "^[0-9a-f]{32}$" };
const UNIX_NANOSECONDS = { type: "string", pattern: String.raw`^\d{1,20}$` };

/** All members are there, always; and there may be more in a later version. */
function object(properties: JsonSchema, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

function countsOf(names: readonly string[], description: string): JsonSchema {
  return { ...object(Object.fromEntries(names.map((name) => [name, COUNT]))), description };
}

function orNull(schema: JsonSchema, whenNull: string): JsonSchema {
  return { ...schema, type: [schema["type"], "null"], description: `Null: ${whenNull}` };
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

const FORWARD_ERROR = object(
  { message: TEXT, hint: { ...TEXT, description: "What to check." }, time: TIME },
  ["hint"],
);

/** The bodies of answers. The names are those in `routes.ts`. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...MESSAGE_SCHEMAS,
  Health: object({ status: { enum: ["alive"] } }),
  Readiness: object(
    {
      status: { enum: ["starting", "ready", "stopping"] },
      high_water: {
        type: "boolean",
        description:
          "Whether the buffer is as full as `FORWARD_HIGH_WATER` says, or was ten seconds ago: " +
          "spans may be lost soon. The status stays 200, for exporters that are sent away would " +
          "lose more. Not there when nothing is forwarded.",
      },
      forward: {
        ...object({ state: { enum: UPSTREAM_STATES }, last_error: FORWARD_ERROR }, ["last_error"]),
        description:
          "How the upstream is doing; while it fails, why, and what to check. It does not change " +
          "the status: what is received meanwhile waits. Not there when nothing is forwarded.",
      },
    },
    ["high_water", "forward"],
  ),
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
    ...object({ run_id: TEXT, first: COUNT, next: COUNT }),
    description: "The spans of this run with first <= sequence < next.",
  },
  Forward: {
    ...object(
      {
        endpoint: { ...TEXT, description: "Without its user, its password and its query." },
        state: { enum: UPSTREAM_STATES },
        retry_in_ms: {
          ...COUNT,
          description: "While it is `backing_off` or `blocked`; 0 when one is tried.",
        },
        last_error: { ...FORWARD_ERROR, description: "Not there before the first." },
        spans_per_second: { ...AMOUNT, description: "Delivered, over the last ten seconds." },
        lag_seconds: { ...AMOUNT, description: "Age of the oldest span not delivered yet." },
        in_flight: object({ batches: COUNT, spans: COUNT }),
        retried_spans: {
          ...COUNT,
          description: "Sent, and given back to be sent again: the upstream may have some twice.",
        },
        undeliverable: countsOf(UNDELIVERABLE_REASONS, "Spans, by why they never arrive."),
        batches: countsOf(Object.keys(zeroForwardFigures().batches), "By what became of them."),
      },
      ["retry_in_ms", "last_error"],
    ),
    description: "How forwarding is doing.",
  },
  Stats: object(
    {
      spans: refTo("Ledger"),
      bytes: refTo("Ledger"),
      capacity: object({ spans: COUNT, bytes: COUNT }),
      sequence: RANGE,
      forward: refTo("Forward"),
      uptime_seconds: AMOUNT,
      version: TEXT,
    },
    ["forward"],
  ),
  Services: object({
    services: listOf(
      object({
        service: TEXT,
        spans: refTo("Ledger"),
        bytes: refTo("Ledger"),
        lastSeen: TIME,
      }),
    ),
    sequence: RANGE,
  }),
  Problems: object({
    problems: listOf(
      object(
        {
          protocol: { enum: PROBLEM_PROTOCOLS, description: "The listener." },
          reason: { enum: PROBLEM_REASONS },
          address: { ...TEXT, description: "Of the peer, where one is to blame." },
          count: COUNT,
          first: TIME,
          last: TIME,
          detail: { ...TEXT, description: "What was wrong with the last one, if more is known." },
          hint: { ...TEXT, description: "What to do." },
        },
        ["address", "detail"],
      ),
    ),
  }),
  Cleared: object({ removed: COUNT, sequence: RANGE }),
  Traces: object({
    traces: listOf(
      object({
        traceId: TRACE_ID,
        root: { type: ["string", "null"], description: "Its name, once it has ended." },
        services: listOf(TEXT),
        spans: COUNT,
        errors: COUNT,
        startTimeUnixNano: orNull(UNIX_NANOSECONDS, "When no span has a start."),
        durationNano: orNull(UNIX_NANOSECONDS, "When no span has a start, or none an end."),
      }),
    ),
    sequence: RANGE,
  }),
  SpanLine: {
    ...object(
      {
        sequence: COUNT,
        run_id: { ...TEXT, description: "Of the run that numbers the span." },
        service: TEXT,
        ...SPAN_MEMBERS,
        resource: refTo("Resource"),
        resourceSchemaUrl: TEXT,
        scope: refTo("InstrumentationScope"),
        scopeSchemaUrl: TEXT,
      },
      [...Object.keys(SPAN_MEMBERS), "resourceSchemaUrl", "scopeSchemaUrl"],
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
  GoneProblem: object({ ...PROBLEM_MEMBERS, sequence: RANGE }),
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
      incomplete: {
        ...object({
          traceId: TRACE_ID,
          spans: COUNT,
          hasRoot: { type: "boolean" },
          missingParents: listOf({ type: "string", pattern: "^[0-9a-f]{16}$" }),
        }),
        description:
          "With `trace_complete`: one of the traces that were not complete, and the parents of " +
          "its spans that are not buffered, a thousand at most. Not there when no span matched, " +
          "or when there was no time to look for it.",
      },
      sequence: RANGE,
    },
    ["parameter", "nearest", "incomplete"],
  ),
  PresentProblem: object({ ...PROBLEM_MEMBERS, spans: SPANS, sequence: RANGE }, ["parameter"]),
  Description: object({ openapi: TEXT, info: ANY, paths: ANY, components: ANY }),
};
