/**
 * For a receiver that only one program uses: all listeners on free ports of this machine alone; and
 * what it has received is there to be looked at, and goes nowhere.
 */
export const ON_FREE_PORTS = {
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  API_HOST: "127.0.0.1",
  API_PORT: "0",
  FORWARD_ENDPOINT: "",
  SHUTDOWN_SPILL_FILE: "",
} as const;
