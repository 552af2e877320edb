import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import type { SignalCounts } from "../../../application/receiving/exporter-counts.ts";
import type { Receiver } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";

const NOT_LOADED =
  "perhaps the command loads no OpenTelemetry SDK, or its processes do not see " +
  "OTEL_EXPORTER_OTLP_ENDPOINT: check NODE_OPTIONS, opentelemetry-instrument or -javaagent, and " +
  "that nothing clears the environment";

const NOT_FLUSHED =
  "perhaps a process ended before its SDK sent the spans: call shutdown() or forceFlush() of " +
  "the tracer provider at the end, and do not end with process.exit() or os._exit()";

const NOT_RECORDED =
  "the SDK is loaded, but records no span: check OTEL_TRACES_SAMPLER, and its instrumentations";

const NOT_EXPORTED =
  "the SDK is loaded, but exports no span: check its trace exporter, OTEL_TRACES_EXPORTER, and " +
  "its instrumentations";

/**
 * Returns why no span was received, and what to check. Returns nothing if requests were refused:
 * those are reported as problems, with their own hints.
 */
export function explainNothing({ exporters, problems }: AbsenceParts): string[] {
  if (problems().some(isOtherProblem)) return [];
  const { grpc, http } = exporters();
  const traces = grpc.requests.traces + http.requests.traces;
  if (traces > 0) {
    const verb = traces === 1 ? "was" : "were";
    return [
      `${countedText(traces, "trace request")} ${verb} received, without a span`,
      NOT_RECORDED,
    ];
  }
  const signals = (["metrics", "logs"] as const).filter((signal) => hasAny(signal, grpc, http));
  if (signals.length > 0) return [`only ${signals.join(" and ")} were received`, NOT_EXPORTED];
  const { connections } = grpc;
  if (connections === 0) return ["nothing connected to the receiver", NOT_LOADED, NOT_FLUSHED];
  return [`${countedText(connections, "connection")} over gRPC, without a request`, NOT_FLUSHED];
}

type AbsenceParts = Pick<Receiver, "exporters" | "problems">;

/** Reports whether it was a problem other than a request for metrics or logs. */
function isOtherProblem({ reason, count }: ProblemTotal): boolean {
  return count > 0 && reason !== "unsupported_metrics" && reason !== "unsupported_logs";
}

function hasAny(
  signal: keyof SignalCounts,
  ...protocols: readonly { readonly requests: SignalCounts }[]
): boolean {
  return protocols.some(({ requests }) => requests[signal] > 0);
}
