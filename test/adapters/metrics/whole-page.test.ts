import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MetricSources, metricValues } from "../../../src/adapters/metrics/metric-values.ts";
import { METRIC_FAMILIES, metricsPage } from "../../../src/adapters/metrics/metrics-page.ts";
import { metricSources } from "../../support/fakes/metric-sources.ts";
import {
  type Family,
  parsePrometheusText,
  type Sample,
} from "../../support/oracles/prometheus-text.ts";

const GOLDEN_PAGE = join(import.meta.dir, "../../support/golden/metrics-page.txt");

function page(parts: Partial<MetricSources> = {}): string {
  return metricsPage(metricValues(metricSources(parts))).text;
}

function families(): Map<string, Family> {
  return new Map(parsePrometheusText(page()).map((family) => [family.name, family]));
}

function valueOf(samples: readonly Sample[], labels: Sample["labels"]): number | undefined {
  return samples.find((sample) => Bun.deepEquals(sample.labels, labels))?.value;
}

test("the page of a fixed server equals the golden page byte for byte", () => {
  expect(page()).toBe(readFileSync(GOLDEN_PAGE, "utf8"));
});

test("the page is well-formed and has values of every family", () => {
  const found = [...families().values()];

  const table = Object.entries(METRIC_FAMILIES).map(([name, { help, type }]) => {
    return { name, help, type };
  });
  expect(found.map(({ name, help, type }) => ({ name, help, type }))).toEqual(table);
  expect(found.filter(({ samples }) => samples.length === 0)).toEqual([]);
});

test("names have a prefix, and only counters end in _total", () => {
  const wrong = Object.entries(METRIC_FAMILIES).filter(([name, { type }]) => {
    const isNamed = /^(spanring|process)_[a-z_]+$/.test(name);
    return !isNamed || name.endsWith("_total") !== (type === "counter");
  });

  expect(wrong).toEqual([]);
});

test("the value of a label is escaped", () => {
  const { samples } = families().get("spanring_build_info")!;

  expect(samples).toEqual([
    { name: "spanring_build_info", labels: { version: '1.0 "quoted\\"\n' }, value: 1 },
  ]);
});

test.each([
  { unit: "spans", name: "spanring_received_spans_total", ledger: "spanring_spans_total" },
  {
    unit: "bytes",
    name: "spanring_received_span_bytes_total",
    ledger: "spanring_span_bytes_total",
  },
])("the $unit of all protocols and the restored ones add up to the ledger", ({ name, ledger }) => {
  const found = families();
  const samples = found.get(ledger)!.samples;

  const sums = ["accepted", "rejected"].map((entry) =>
    found
      .get(name)!
      .samples.filter(({ labels }) => labels["entry"] === entry)
      .reduce((sum, { value }) => sum + value, 0),
  );
  const [restored] = found.get(name.replace("received", "restored"))!.samples;

  expect(restored!.value).toBeGreaterThan(0);
  expect([sums[0]! + restored!.value, sums[1]]).toEqual([
    valueOf(samples, { entry: "accepted" })!,
    valueOf(samples, { entry: "rejected" })!,
  ]);
  expect(sums[0]! + sums[1]! + restored!.value).toBe(valueOf(samples, { entry: "received" })!);
});

test.each([
  { name: "spanring_request_bytes", protocol: "grpc" },
  { name: "spanring_request_bytes", protocol: "http/json" },
  { name: "spanring_receive_seconds", protocol: "grpc" },
  { name: "spanring_receive_seconds", protocol: "http/json" },
])("the buckets of $name by $protocol ascend to its count", ({ name, protocol }) => {
  const found = families();
  const own = found.get(name)!.samples.filter(({ labels }) => labels["protocol"] === protocol);
  const requests = found
    .get("spanring_requests_total")!
    .samples.filter(({ labels }) => labels["protocol"] === protocol)
    .reduce((sum, { value }) => sum + value, 0);

  const buckets = own.filter((sample) => sample.name === `${name}_bucket`);

  const bounds = buckets.map(({ labels }) => Number(labels["le"]!.replace("+Inf", "Infinity")));
  expect(bounds).toEqual(bounds.toSorted((one, other) => one - other));
  expect(bounds.at(-1)).toBe(Infinity);
  const counts = buckets.map(({ value }) => value);
  expect(counts).toEqual(counts.toSorted((one, other) => one - other));
  expect(counts.at(-1)).toBe(requests);
  expect(own.find((sample) => sample.name === `${name}_count`)?.value).toBe(requests);
});

test.each(["grpc", "http/json"])(
  "the bytes by outcome of %s add up to the sum of its sizes",
  (one) => {
    const found = families();
    const ofProtocol = (name: string) =>
      found.get(name)!.samples.filter(({ labels }) => labels["protocol"] === one);

    const bytes = ofProtocol("spanring_received_bytes_total").map(({ value }) => value);

    const sum = ofProtocol("spanring_request_bytes").find(({ name }) => name.endsWith("_sum"));
    expect(bytes.reduce((total, each) => total + each, 0)).toBe(sum!.value);
  },
);

test("a scrape reads the ledger once, so that its values are consistent", () => {
  const { stats, ...others } = metricSources();
  let readings = 0;
  const counting = () => {
    readings += 1;
    return stats();
  };

  metricValues({ ...others, stats: counting });

  expect(readings).toBe(1);
});
