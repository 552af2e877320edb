/** All listeners on free ports of this machine alone: for a receiver that only one program uses. */
export const ON_FREE_PORTS = {
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  API_HOST: "127.0.0.1",
  API_PORT: "0",
} as const;
