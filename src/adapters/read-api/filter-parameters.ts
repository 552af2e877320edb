import type { ConditionName } from "../../domain/query/read-condition.ts";
import type { JsonSchema } from "./parameter.ts";

interface ConditionParameter {
  readonly meaning: string;
  readonly schema: JsonSchema;
}

const INSTANT =
  "RFC 3339, a date (UTC), a Unix time of 10 (s), 13 (ms), 16 (us) or 19 (ns) digits, or a " +
  "duration such as `5m`: that long ago. None without a start";

/** The conditions of a filter, told of as parameters. `readCondition` reads them. */
export const FILTER_PARAMETERS: Readonly<Record<ConditionName, ConditionParameter>> = {
  service: text(
    "Spans of the service of this name; `unknown_service` where the resource says none.",
  ),
  name: text("Spans of this name."),
  trace_id: text("Spans of this trace: 32 hex digits.", "^[0-9A-Fa-f]{32}$"),
  span_id: text("The span with this identifier: 16 hex digits.", "^[0-9A-Fa-f]{16}$"),
  kind: text(
    "Spans of this kind: unspecified, internal, server, client, producer, consumer, or 0-5.",
  ),
  status: text("Spans with this status: unset, ok, error, or 0-2."),
  attribute: {
    meaning:
      "`key=value`, split at the first `=`: spans with this attribute, or with none of that key " +
      "and of a resource with it. Numbers and booleans by value. May be given several times.",
    schema: { type: "array", items: { type: "string", pattern: "^[^=]+=" } },
  },
  min_duration: text(
    "Spans that last at least so long, such as `250ms`; none without a start or an end.",
  ),
  since: text(`Spans that start at this time or later: ${INSTANT}.`),
  until: text(`Spans that start before this time: ${INSTANT}.`),
};

/** Which may be given several times: all of them must hold. */
export const REPEATABLE: ReadonlySet<string> = new Set<ConditionName>(["attribute"]);

function text(meaning: string, pattern?: string): ConditionParameter {
  return { meaning, schema: { type: "string", ...(pattern === undefined ? {} : { pattern }) } };
}
