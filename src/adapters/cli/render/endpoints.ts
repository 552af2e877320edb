import type { Config, ListenAddress } from "../../../config/config.ts";

/** The addresses of a running server. */
export interface ListeningServer {
  readonly config: Pick<Config, "grpc" | "http" | "api">;
  /** The actual ports, where the configuration may say any. */
  readonly ports: Readonly<Record<"grpc" | "http" | "api", number | "off">>;
}

/** The URLs of the listeners on this machine; one that is off has none. */
export interface Endpoints {
  readonly grpc?: string;
  readonly http?: string;
  readonly api?: string;
}

export function endpointsOf({ config, ports }: ListeningServer): Endpoints {
  const urls = (["grpc", "http", "api"] as const).flatMap((listener) => {
    const url = urlOf(config[listener], ports[listener]);
    return url === undefined ? [] : [[listener, url] as const];
  });
  return Object.fromEntries(urls);
}

/** Returns the URL of a listener on this machine; undefined for one that is off. */
function urlOf(address: ListenAddress | "off", port: number | "off"): string | undefined {
  return address === "off" ? undefined : reachableUrl(address, port);
}

/** Returns the URL, or `unix:/PATH`, at which programs on this machine reach a listener. */
export function reachableUrl({ host, tls }: ListenAddress, port: number | "off"): string {
  if (host.startsWith("unix:")) return host;
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${reachableHost(host)}:${port}`;
}

/** Returns a host to connect to: a listener on all addresses is reached on this machine as well. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * Settings of an SDK under test. Batches are sent ten times a second instead of every five seconds,
 * and only traces are sent, because the receiver does not store other signals.
 */
export const TEST_SETTINGS = {
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_BSP_SCHEDULE_DELAY: "100",
};

/**
 * Returns the endpoint of an application's SDK, and its protocol, as environment variables. SDKs
 * do not agree on how to write a Unix socket, so one is not among them.
 */
export function exporterVariables({ grpc, http }: Endpoints): Readonly<Record<string, string>> {
  const endpoint = http ?? grpc;
  if (endpoint === undefined || endpoint.startsWith("unix:")) return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: http === undefined ? "grpc" : "http/protobuf",
  };
}
