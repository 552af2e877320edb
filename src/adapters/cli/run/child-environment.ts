import type { Environment } from "../../../config/config.ts";
import type { Receiver } from "../command/command-run.ts";
import { TEST_SETTINGS } from "../render/endpoints.ts";

export const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;

export type Protocol = (typeof PROTOCOLS)[number];

/** Variables that would override those set here for all signals. */
const OVERRIDING = new Set([
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
]);

/** A token for another spanring: the receiver requires none. */
const FOREIGN_TOKEN = "SPANRING_TOKEN";

/**
 * Returns the command's environment, with the receiver as the endpoint of its OpenTelemetry SDK.
 * Source: OpenTelemetry, "OTLP Exporter Configuration".
 */
export function childEnvironment(
  env: Environment,
  { ports }: Pick<Receiver, "ports">,
  protocol: Protocol,
): Environment {
  const port = protocol === "grpc" ? ports.grpc : ports.http;
  const others = Object.entries(env).filter(
    ([name]) => !OVERRIDING.has(name) && name !== FOREIGN_TOKEN,
  );
  return {
    // The user's environment overrides these.
    ...TEST_SETTINGS,
    ...Object.fromEntries(others),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    SPANRING_URL: `http://127.0.0.1:${ports.api}`,
    ...withoutProxy(env),
  };
}

const OWN_HOSTS = "127.0.0.1,localhost";

/**
 * Exempts the receiver from proxies, which cannot reach it. Some programs read only one spelling,
 * others the second if the first is empty, so an empty one gets the value of the other.
 */
function withoutProxy({ no_proxy, NO_PROXY }: Environment): Environment {
  return { no_proxy: withOwn(no_proxy || NO_PROXY), NO_PROXY: withOwn(NO_PROXY || no_proxy) };
}

/** Adds our hosts to a list, except to `*`, which stands for all hosts only if it is alone. */
function withOwn(hosts: string | undefined): string {
  if (hosts === undefined || hosts.trim() === "") return OWN_HOSTS;
  return hosts.trim() === "*" ? hosts : `${hosts},${OWN_HOSTS}`;
}
