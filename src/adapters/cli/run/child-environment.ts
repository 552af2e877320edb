import type { Environment } from "../../../config/config.ts";
import type { Receiver } from "../command/command-run.ts";

export const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;

export type Protocol = (typeof PROTOCOLS)[number];

/** Each would overrule what is set here for all signals. */
const OVERRULING = new Set([
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
]);

/**
 * Only where the user has not said otherwise. A batch is sent ten times a second instead of every
 * five seconds, and only traces are: the others would not be kept.
 */
const UNLESS_SET = {
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_BSP_SCHEDULE_DELAY: "100",
};

/**
 * What the command is run with: its own environment, and in it the receiver as the endpoint of
 * every OpenTelemetry SDK. Source: OpenTelemetry, "OTLP Exporter Configuration".
 */
export function childEnvironment(
  env: Environment,
  { ports }: Pick<Receiver, "ports">,
  protocol: Protocol,
): Environment {
  const port = protocol === "grpc" ? ports.grpc : ports.http;
  const kept = Object.entries(env).filter(([name]) => !OVERRULING.has(name));
  return {
    ...UNLESS_SET,
    ...Object.fromEntries(kept),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    SPANRING_URL: `http://127.0.0.1:${ports.api}`,
    ...withoutProxy(env),
  };
}

const OWN_HOSTS = "127.0.0.1,localhost";

/**
 * A proxy cannot reach the receiver. Both spellings, because some programs read only one of them,
 * and others the second only where the first is empty: so each has what either had.
 */
function withoutProxy({ no_proxy, NO_PROXY }: Environment): Environment {
  return { no_proxy: withOwn(no_proxy || NO_PROXY), NO_PROXY: withOwn(NO_PROXY || no_proxy) };
}

/** `*` means every host only where it stands alone. */
function withOwn(hosts: string | undefined): string {
  if (hosts === undefined || hosts.trim() === "") return OWN_HOSTS;
  return hosts.trim() === "*" ? hosts : `${hosts},${OWN_HOSTS}`;
}
