import type { MetricObject, Registry } from "prom-client";
import { METRIC_FAMILIES, type MetricName } from "./metric-families.ts";
import { type MetricSources, type MetricValues, metricValues } from "./metric-values.ts";

/** The numbers as Prometheus scrapes them. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/**
 * Answers scrapes. The library is for the text format alone, and counts nothing: its counters look
 * up labels each time, which costs more than all that a request needs. It takes some milliseconds
 * to load, so it is loaded when the first scrape comes.
 */
export function metricsPages(sources: MetricSources): () => Promise<MetricsPage> {
  let registry: Promise<Registry> | undefined;
  let values: MetricValues;
  return async () => {
    values = metricValues(sources);
    registry ??= loadRegistry(() => values);
    const loaded = await registry;
    return { contentType: loaded.contentType, text: await loaded.metrics() };
  };
}

async function loadRegistry(values: () => MetricValues): Promise<Registry> {
  const { Registry: RegistryClass } = await import("prom-client");
  const registry = new RegistryClass();
  for (const name of Object.keys(METRIC_FAMILIES) as MetricName[]) {
    registry.registerMetric(snapshotMetric(name, values) as never);
  }
  return registry;
}

/** All that the registry asks of a metric: its name, and what there is to print. */
function snapshotMetric(name: MetricName, values: () => MetricValues) {
  const { type, help } = METRIC_FAMILIES[name];
  const get = async () => ({ name, help, type, values: values()[name], aggregator: "sum" });
  return { name, get: get as unknown as () => Promise<MetricObject> };
}
