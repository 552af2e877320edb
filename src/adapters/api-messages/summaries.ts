import * as z from "zod/mini";
import {
  amount,
  count,
  described,
  list,
  message,
  nullable,
  pattern,
  text,
  time,
} from "./message.ts";
import { sequenceRange } from "./sequence-range.ts";

/** Describes the responses that summarise many spans, like `messages.ts`, which lists them. */

const TRACE_ID = /^[0-9a-f]{32}$/;
const UNIX_NANOSECONDS = /^\d{1,20}$/;
const NANOSECONDS = /^-?\d{1,20}$/;

export const traces = message("Traces", () =>
  z.object({
    traces: list(
      z.object({
        traceId: pattern(TRACE_ID),
        root: nullable(text(), "The name of the root; null until it has ended."),
        rootService: nullable(text(), "The service of the root; null until it has ended."),
        services: described(list(text()), "The services; that of the root comes first."),
        spans: count(),
        errors: count(),
        lastSequence: count("The sequence of its newest span in memory."),
        startTimeUnixNano: nullable(pattern(UNIX_NANOSECONDS), "Null if no span has a start."),
        durationNano: nullable(
          pattern(NANOSECONDS),
          "From the earliest start to the latest end; negative if the end is before the start. " +
            "Null if no span has a start, or none has an end.",
        ),
      }),
    ),
    sequence: sequenceRange(),
  }),
);

function percentiles() {
  return {
    p50Nano: nullable(amount(), "The median duration, within 1.6 %; null if none is known."),
    p95Nano: nullable(amount(), "The 95th percentile of the durations, within 1.6 %."),
    p99Nano: nullable(amount(), "The 99th percentile of the durations, within 1.6 %."),
  };
}

export const operations = message("Operations", () =>
  z.object({
    operations: list(
      z.object({
        service: text(),
        name: text("The name of the spans."),
        spans: count(),
        errors: count(),
        spansPerSecond: nullable(amount(), "The rate over `periodSeconds`; null if that is 0."),
        ...percentiles(),
        lastSeen: nullable(time(), "The latest end of a span; null if none has one."),
      }),
    ),
    otherSpans: count("Spans of further operations, for which there was no room."),
    periodSeconds: amount("The time from the first start to the last end of the spans."),
    sequence: sequenceRange(),
  }),
);

export const serviceGraph = message("ServiceGraph", () =>
  z.object({
    services: list(z.object({ service: text(), spans: count(), errors: count() })),
    calls: list(
      z.object({
        from: text("The service of the parents, or of the spans that are linked to."),
        to: text("The service of the spans."),
        calls: count("Spans with a parent in the other service."),
        errors: count("Those of them whose status is an error."),
        links: count("Links to spans of the other service."),
        ...percentiles(),
      }),
    ),
    unknownParents: count("Spans whose parent is not buffered."),
    unknownLinks: count("Links to spans that are not buffered."),
    others: count("Calls and links between further services, for which there was no room."),
    sequence: sequenceRange(),
  }),
);
