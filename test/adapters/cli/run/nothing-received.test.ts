import { expect, test } from "bun:test";
import { explainNothing } from "../../../../src/adapters/cli/run/nothing-received.ts";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";

type Counts = Parameters<typeof exporterCounts>[0];

function explain(counts: Counts, problems: Parameters<typeof problemTotals>[0] = {}): string[] {
  const exporters = () => exporterCounts(counts);
  return explainNothing({ exporters, problems: () => problemTotals(problems) });
}

const NOT_LOADED = expect.stringContaining("loads no OpenTelemetry SDK");
const NOT_FLUSHED = expect.stringContaining("call shutdown() or forceFlush()");

interface Explained {
  readonly name: string;
  readonly counts: Counts;
  readonly lines: string[];
}

test.each<Explained>([
  {
    name: "nothing connected, with both usual causes",
    counts: {},
    lines: ["nothing connected to the receiver", NOT_LOADED, NOT_FLUSHED],
  },
  {
    name: "connections without a request, for lack of a flush",
    counts: { connections: 2 },
    lines: ["2 connections over gRPC, without a request", NOT_FLUSHED],
  },
  {
    name: "one request without a span, for lack of recording",
    counts: { connections: 1, grpc: { traces: 1 } },
    lines: [
      "1 trace request was received, without a span",
      expect.stringContaining("records no span: check OTEL_TRACES_SAMPLER"),
    ],
  },
  {
    name: "requests without spans even beside metrics",
    counts: { http: { traces: 3, metrics: 1 } },
    lines: ["3 trace requests were received, without a span", expect.anything()],
  },
  {
    name: "only metrics, for lack of a trace exporter",
    counts: { http: { metrics: 2 } },
    lines: [
      "only metrics were received",
      expect.stringContaining("exports no span: check its trace exporter"),
    ],
  },
  {
    name: "only metrics and logs of two protocols",
    counts: { connections: 1, grpc: { logs: 1 }, http: { metrics: 2 } },
    lines: ["only metrics and logs were received", expect.anything()],
  },
])("the explanation is $name", ({ counts, lines }) => {
  expect(explain(counts)).toEqual(lines);
});

test("metrics are explained although they are a problem, too", () => {
  const [what] = explain({ http: { metrics: 2 } }, { unsupported_metrics: 2 });

  expect(what).toBe("only metrics were received");
});

test("requests that were refused need no explanation, because they are reported", () => {
  expect(explain({ http: { traces: 1 } }, { malformed: 1 })).toEqual([]);
  expect(explain({}, { wrong_method: 1 })).toEqual([]);
});
