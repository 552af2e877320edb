import * as z from "zod/mini";
import { count, described, list, message, otlp, pattern, text } from "./message.ts";
import { problemMembers } from "./problem-members.ts";
import { sequenceRange } from "./sequence-range.ts";

/** The responses to waits that did not succeed. */

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

function requestSpans() {
  return otlp("ExportTraceServiceRequest");
}

export const timeUpProblem = message("TimeUpProblem", () =>
  z.object({
    ...problemMembers(),
    found: count(),
    wanted: count(),
    nearest: described(
      z.optional(z.object({ without: text(), count: count(), spans: requestSpans() })),
      "The result without the last condition: the number of spans, and the newest few. " +
        "Absent without a condition, or if the time was too short to search.",
    ),
    incomplete: described(
      z.optional(
        z.object({
          traceId: pattern(TRACE_ID),
          spans: count(),
          hasRoot: z.boolean(),
          missingParents: list(pattern(SPAN_ID)),
        }),
      ),
      "With `trace_complete`: one of the incomplete traces, with at most a thousand parents that " +
        "are not buffered. Absent if no span matched, or if the time was too short to search.",
    ),
    sequence: sequenceRange(),
  }),
);

export const presentProblem = message("PresentProblem", () =>
  z.object({ ...problemMembers(), spans: requestSpans(), sequence: sequenceRange() }),
);

export const expectationProblem = message("ExpectationProblem", () =>
  z.object({
    ...problemMembers(),
    found: count("The number of spans that are counted."),
    wrong: count("The number of these that lack what all must have, or that begin too early."),
    uncertain: described(
      z.boolean(),
      "Whether spans left the buffer before they could be checked, which might have broken it.",
    ),
    nearest: described(
      list(
        z.object({
          traceId: pattern(TRACE_ID),
          spanId: pattern(SPAN_ID),
          name: text(),
          service: text(),
          count: count("The number of spans that differ in the same way."),
          differences: list(z.object({ condition: text(), found: text() })),
        }),
      ),
      "The spans that come closest, and what they have instead.",
    ),
    spans: described(requestSpans(), "The first of these, with the spans around it."),
    sequence: sequenceRange(),
  }),
);
