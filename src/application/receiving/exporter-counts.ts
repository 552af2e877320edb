import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { CountedReceiver } from "./counted-receiver.ts";
import type { ProblemTotal } from "./problem-registry.ts";
import type { Protocol } from "./unsupported-signals.ts";

/** The number of requests by signal. */
export interface SignalCounts {
  readonly traces: number;
  readonly metrics: number;
  readonly logs: number;
}

/** Counts what exporters have done since the start. OTLP/HTTP does not see its connections. */
export interface ExporterCounts {
  readonly grpc: { readonly connections: number; readonly requests: SignalCounts };
  readonly http: { readonly requests: SignalCounts };
}

interface CountParts {
  readonly receivers: Readonly<
    Record<"grpc" | "http/protobuf" | "http/json", Pick<CountedReceiver, "requests">>
  >;
  readonly problems: readonly ProblemTotal[];
  readonly grpcConnections: number;
}

/** Sums up what the listeners count anyway, so that no request costs more. */
export function countExporters({
  receivers: { grpc, "http/protobuf": protobuf, "http/json": json },
  problems,
  grpcConnections: connections,
}: CountParts): ExporterCounts {
  const unsupported = (protocol: Protocol) => ({
    metrics: totalOf(problems, protocol, "unsupported_metrics"),
    logs: totalOf(problems, protocol, "unsupported_logs"),
  });
  const overHttp = requestsOf(protobuf) + requestsOf(json);
  return {
    grpc: { connections, requests: { traces: requestsOf(grpc), ...unsupported("grpc") } },
    http: { requests: { traces: overHttp, ...unsupported("http") } },
  };
}

function requestsOf({ requests }: Pick<CountedReceiver, "requests">): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

function totalOf(
  problems: readonly ProblemTotal[],
  protocol: Protocol,
  reason: ProblemReason,
): number {
  const total = problems.find((each) => each.protocol === protocol && each.reason === reason);
  return total?.count ?? 0;
}
