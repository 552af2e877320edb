import { expect, test } from "bun:test";
import { type MetricSources, metricValues } from "../../../src/adapters/metrics/metric-values.ts";
import { METRIC_FAMILIES, metricsPage } from "../../../src/adapters/metrics/metrics-page.ts";
import { metricSources } from "../../support/fakes/metric-sources.ts";

function page(parts: Partial<MetricSources> = {}): string[] {
  return metricsPage(metricValues(metricSources(parts))).text.split("\n");
}

test("every value is present with its name and its labels", () => {
  const lines = page();

  const expected = [
    'spanring_build_info{version="1.0 \\"quoted\\\\\\"\\n"} 1',
    'spanring_spans_total{entry="received"} 8',
    'spanring_spans_total{entry="rejected"} 1',
    'spanring_spans_total{entry="accepted"} 7',
    'spanring_spans_total{entry="taken"} 1',
    'spanring_spans_total{entry="delivered"} 0',
    'spanring_spans_total{entry="evicted"} 4',
    'spanring_spans_total{entry="undeliverable"} 0',
    "spanring_buffered_spans 2",
    "spanring_used_bytes 106",
    "spanring_capacity_spans 3",
    "spanring_high_water 1",
    "spanring_restored_spans_total 1",
    'spanring_received_spans_total{protocol="grpc",entry="accepted"} 5',
    'spanring_received_spans_total{protocol="grpc",entry="rejected"} 1',
    'spanring_rejected_spans_total{protocol="grpc",reason="trace_id"} 1',
    'spanring_rejected_spans_total{protocol="grpc",reason="link"} 0',
    'spanring_rejected_span_bytes_total{protocol="grpc",reason="trace_id"} 16',
    'spanring_rejected_span_bytes_total{protocol="grpc",reason="link"} 0',
    'spanring_requests_total{protocol="grpc",outcome="accepted",status="OK"} 1',
    'spanring_requests_total{protocol="grpc",outcome="partly_rejected",status="OK"} 1',
    'spanring_requests_total{protocol="grpc",outcome="malformed",status="INVALID_ARGUMENT"} 0',
    'spanring_requests_total{protocol="http/json",outcome="malformed",status="400"} 1',
    'spanring_received_bytes_total{protocol="http/json",outcome="malformed"} 70000',
    'spanring_append_seconds_count{protocol="grpc"} 2',
    'spanring_append_seconds_count{protocol="http/json"} 1',
    'spanring_request_bytes_bucket{protocol="grpc",le="256"} 2',
    'spanring_request_bytes_bucket{protocol="grpc",le="+Inf"} 2',
    'spanring_request_bytes_count{protocol="grpc"} 2',
    'spanring_receive_seconds_sum{protocol="grpc"} 0',
    'spanring_unsupported_requests_total{signal="logs",protocol="http"} 1',
    'spanring_forward_state{state="untried"} 0',
    'spanring_forward_state{state="connected"} 0',
    'spanring_forward_state{state="backing_off"} 1',
    "spanring_forward_retry_in_seconds 1.2345",
    "spanring_forward_lag_seconds 4.20025",
    "spanring_forward_in_flight_batches 2",
    "spanring_forward_in_flight_spans 1028",
    'spanring_forward_batches_total{outcome="delivered"} 21',
    'spanring_forward_batches_total{outcome="retry"} 23',
    "spanring_forward_retried_spans_total 27",
    'spanring_undeliverable_spans_total{reason="invalid"} 24',
    'spanring_undeliverable_spans_total{reason="other"} 0',
    'spanring_problems_total{protocol="grpc",reason="too_large"} 18',
    'spanring_problems_total{protocol="http",reason="malformed"} 0',
    "spanring_in_flight_bytes 17",
    "spanring_grpc_connections 2",
    "spanring_http_requests_in_flight 4",
    "spanring_api_requests_in_flight 10",
    "spanring_waits 11",
    "spanring_tails 12",
    "spanring_answer_bytes 13",
    'spanring_api_requests_total{status="200"} 14',
    'spanring_api_requests_total{status="503"} 15',
    "process_resident_memory_bytes 6",
    "process_cpu_seconds_total 7.5",
    "process_open_fds 9",
    "process_start_time_seconds 8",
  ];
  expect(expected.filter((line) => !lines.includes(line))).toEqual([]);
});

test("every family is described once, with its type, before its values", () => {
  const lines = page();

  for (const [name, { type, help }] of Object.entries(METRIC_FAMILIES)) {
    const at = lines.indexOf(`# HELP ${name} ${help}`);
    expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1);
    expect(lines[at + 1]).toBe(`# TYPE ${name} ${type}`);
  }
});

test("values have exactly the labels of their family", () => {
  const values = page().filter((line) => line !== "" && !line.startsWith("#"));

  const wrong = values.filter((line) => {
    const [, full = "", labels = ""] = /^([a-z_]+)(?:\{(.*)\})? [-+.\deE]+$/.exec(line) ?? [];
    const name = full.replace(/(?<=bytes|seconds)_(bucket|sum|count)$/, "");
    const family = Object.entries(METRIC_FAMILIES).find(([each]) => each === name)?.[1];
    const names = [...labels.matchAll(/([a-z]+)="/g)].map(([, label]) => label!);
    const own = names.filter((label) => label !== "le");
    return family === undefined || own.join() !== [...family.labels].join();
  });

  expect(wrong).toEqual([]);
});

test.each([
  { name: "a listener that is off", parts: { grpc: () => undefined }, absent: "grpc_connections " },
  {
    name: "a figure that the system does not report",
    parts: {
      process: () => {
        return {
          residentBytes: 6,
          cpuSeconds: 7.5,
          startUnixSeconds: 8,
          openFds: undefined,
          maxFds: undefined,
        };
      },
    },
    absent: "process_open_fds",
  },
  {
    name: "forwarding without an upstream",
    parts: { forward: () => undefined },
    absent: "forward",
  },
  {
    name: "undeliverable spans without an upstream",
    parts: { forward: () => undefined },
    absent: "undeliverable_spans_total",
  },
  {
    name: "unsupported signals that are rejected",
    parts: { unsupported: undefined },
    absent: "requests_total{sig",
  },
])("$name has no value", ({ parts, absent }) => {
  const lines = page(parts);

  expect(lines.filter((line) => line.includes(absent) && !line.startsWith("#"))).toEqual([]);
});

test("each scrape has the current values", () => {
  let bytes = 1;
  const sources = metricSources({ inFlightBytes: () => bytes });
  metricsPage(metricValues(sources));
  bytes = 2;

  const { text, contentType } = metricsPage(metricValues(sources));

  expect(text).toContain("spanring_in_flight_bytes 2\n");
  expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});
