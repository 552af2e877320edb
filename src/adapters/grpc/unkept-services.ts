import type { UnkeptSignals } from "../../application/unkept-signals.ts";
import { releaseBytes } from "../../application/release-bytes.ts";
import { encodeExportResponse } from "../otlp/export-response.ts";
import { bufferOver } from "./call-handlers.ts";
import type { Method } from "./call-handlers.ts";

export const UNKEPT_PATHS = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
} as const;

/** Success, with a warning that nothing is kept. A message may be as long as one with spans. */
export function unkeptMethods(unkept: UnkeptSignals): Method[] {
  return (["metrics", "logs"] as const).map((signal) => ({
    path: UNKEPT_PATHS[signal],
    type: "unary",
    handler: (call, respond) => {
      releaseBytes(call.request);
      respond(null, bufferOver(encodeExportResponse(unkept.receive(signal, "grpc"))));
    },
  }));
}
