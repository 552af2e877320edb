import { type CommandSpec, FORMS, WHERE } from "./command-spec.ts";
import { FILTER_OPTIONS } from "./option-table.ts";

const FILE_FORMATS =
  "The ending of the file name selects the format: .json, .jsonl and .ndjson are OTLP/JSON, one " +
  "request per line; .binpb, .pb and .proto are protobuf, each request preceded by its length as " +
  "four bytes, big endian. The Collector's file exporter and spanring send use the same formats. " +
  "Symbolic links are followed; a pipe or a device receives spans as they arrive.";

const PRINTED = "On a terminal it prints a table; in a pipe, NDJSON with one span per line.";

/** Describes the commands that talk to the read API of a running spanring. */
export const API_COMMANDS = {
  tail: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show spans as they arrive, until Ctrl-C",
    details: [
      PRINTED,
      "If spans were evicted before they could be shown, or there was no memory to copy them, " +
        "standard error says how many.",
      "If the connection ends, it reconnects for up to five seconds and continues after the " +
        "last span shown. If spanring was restarted, it says so and shows the spans of the new " +
        "run.",
    ],
    options: [...FILTER_OPTIONS, "after", "json", ...WHERE],
    found: "stopped by Ctrl-C, or the reader closed the pipe",
    untilInterrupted: true,
    examples: ["spanring tail --status error", "spanring tail | jq .name"],
  },
  get: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show or save buffered spans, which stay in the buffer",
    details: [
      PRINTED,
      "The newest come first, unless --order or --after is given. With --trace-id, a terminal " +
        "shows the trace as a tree; with --span-id, the whole span. Without --limit, standard " +
        "error says if there may be more; with --out, all matching spans are saved.",
      FILE_FORMATS,
    ],
    options: [...FILTER_OPTIONS, "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one span",
    notFound: "no span found, or the file cannot be written",
    examples: [
      "spanring get --service shop --name 'GET /' --min-duration 250ms",
      "spanring get --since 5m --out spans.jsonl",
    ],
  },
  traces: {
    operands: "[TRACE_ID]",
    minOperands: 0,
    maxOperands: 1,
    summary: "list traces, or show one as a tree",
    details: [
      "Without TRACE_ID: one line for each trace with a matching span.",
      "With TRACE_ID: that trace; on a terminal as a tree with durations and time bars, in a " +
        "pipe as NDJSON with one span per line. The first four or more digits are enough, such " +
        "as the eight that tables show; they are looked up in the newest 10,000 traces.",
    ],
    options: [...FILTER_OPTIONS, "attributes", "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one trace",
    notFound: "no trace found",
    examples: ["spanring traces --status error", "spanring traces 0af76519 --attributes"],
  },
  span: {
    operands: "SPAN_ID",
    minOperands: 1,
    maxOperands: 1,
    summary: "show one span with everything it contains",
    details: [
      "On a terminal it prints keys and values: attributes, events with exceptions, links, " +
        "resource and scope. In a pipe, NDJSON with one span per line.",
    ],
    options: [...FORMS, ...WHERE],
    found: "the span",
    notFound: "no buffered span has this id, or the file cannot be written",
    examples: ["spanring span b7ad6b7169203331"],
  },
  services: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "list the services that have sent spans",
    details: [
      "On a terminal it prints a table of spans by what happened to them; in a pipe, NDJSON with " +
        "one service per line, with its counters in spans and in bytes.",
    ],
    options: ["json", ...WHERE],
    found: "at least one service",
    notFound: "no service has sent a span",
    examples: ["spanring services"],
  },
  operations: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show rates, errors and latencies by span name",
    details: [
      "Covers matching spans in the buffer. The rate is over the time from the first start to " +
        "the last end of these spans. Percentiles are within 1.6 %. On a terminal it prints a " +
        "table, with rates and times from 110 columns on; in a pipe, NDJSON with one operation " +
        "per line.",
    ],
    options: [...FILTER_OPTIONS, "json", ...WHERE],
    found: "at least one operation",
    notFound: "no buffered span matches",
    examples: [
      "spanring operations --since 5m",
      "spanring operations --service shop --kind server",
    ],
  },
  wait: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "wait for spans, in tests",
    details: [
      "Ends as soon as enough matching spans are buffered, and prints them. Spans that arrived " +
        "earlier count too, unless --after excludes them.",
      "On a timeout, standard error says how many spans matched, and how many would match " +
        "without the last filter.",
      "With --expect, it waits until expectations are met, and prints no spans. One that later " +
        "spans may break, such as no error anywhere, is met if nothing breaks it until the " +
        "timeout. If one is not met, standard error shows the nearest spans.",
    ],
    options: [
      ...FILTER_OPTIONS,
      "count",
      "timeout",
      "absent",
      "expect",
      "expect-file",
      "trace-complete",
      "quiet",
      "after",
      ...FORMS,
      ...WHERE,
    ],
    found: "the spans arrived; with --absent, none arrived; with --expect, all are met",
    notFound: "timed out; with --absent, a span arrived; with --expect, one is not met",
    examples: [
      "spanring wait --name 'GET /orders' --count 2 --timeout 5s",
      "spanring wait --status error --count 0 --absent --timeout 2s",
      "spanring wait --expect \"name=SELECT* under name='GET /orders'\" --timeout 5s",
    ],
  },
  take: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "print or save the oldest spans, and remove them",
    details: [
      "The buffer is first in, first out, so take has no filters. Spans in flight to the " +
        "upstream are not taken.",
      PRINTED,
      FILE_FORMATS,
    ],
    options: ["limit", ...FORMS, ...WHERE],
    found: "at least one span",
    notFound: "the buffer is empty; or the file cannot be written, and nothing was taken",
    examples: [
      "while spanring take --limit 1000 >> spans.ndjson; do :; done",
      "spanring send spans.ndjson",
    ],
  },
  stats: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show counters, and what was refused or discarded",
    details: [
      "On a terminal it prints tables; in a pipe, the JSON object of GET /api/stats with the " +
        "problems of GET /api/problems: what was refused or discarded, and what to do about it.",
      "Spans in flight to the upstream count as buffered until it responds. If forwarding is " +
        "enabled, its state is shown too.",
    ],
    options: ["json", ...WHERE],
    found: "done",
    examples: ["spanring stats", "spanring stats --json | jq .forward"],
  },
  clear: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "remove all buffered spans, without confirmation",
    details: [
      "Prints how many were removed; they count as taken. Spans in flight to the upstream stay " +
        "until it responds.",
    ],
    options: ["json", ...WHERE],
    found: "done, even if there was nothing to remove",
    examples: ["spanring clear"],
  },
} as const satisfies Record<string, CommandSpec>;
