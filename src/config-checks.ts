import type { Settings } from "./config-variables.ts";

/** A value that cannot be used. Reads as `variable="value": must be bound`. */
export interface Mistake {
  readonly variable: string;
  /** Escaped, and cut at 256 bytes. */
  readonly value: string;
  readonly bound: string;
}

/** The program runs, but hardly as it was meant to. */
export interface ConfigWarning {
  readonly variable: string;
  readonly message: string;
}

/** What is wrong between variables that are each right. */
export function mistakesBetween(settings: Settings): Mistake[] {
  const { OTLP_GRPC_PORT: grpcPort, API_PORT: apiPort } = settings;
  if (grpcPort === "off" && apiPort === "off") {
    return [mistakenPort("off", "a port, because OTLP_GRPC_PORT is off too: nothing would listen")];
  }
  const isTwice = grpcPort === apiPort && grpcPort !== 0 && hostsOverlap(settings);
  return isTwice ? [mistakenPort(apiPort, "another port than OTLP_GRPC_PORT")] : [];
}

function mistakenPort(value: number | string, bound: string): Mistake {
  return { variable: "API_PORT", value: String(value), bound };
}

/** `::` takes IPv4 as well, unless the system was told otherwise. */
function hostsOverlap({ OTLP_GRPC_HOST: one, API_HOST: other }: Settings): boolean {
  const isIpv4 = !one.includes(":") && !other.includes(":");
  return (
    one === other || [one, other].includes("::") || (isIpv4 && [one, other].includes("0.0.0.0"))
  );
}

/** Sizes that defeat one another: legal, but some requests could never be kept. */
export function warningsBetween(settings: Settings): ConfigWarning[] {
  const largest = settings.GRPC_MAX_MESSAGE_LENGTH;
  return (["MAX_BUFFER_BYTES", "MAX_IN_FLIGHT_BYTES"] as const)
    .filter((variable) => settings[variable] < largest)
    .map((variable) => ({
      variable,
      message: `less than GRPC_MAX_MESSAGE_LENGTH (${largest}): larger requests are refused`,
    }));
}
