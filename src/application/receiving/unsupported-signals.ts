/** The signals that SDKs export in addition to traces. */
export const UNSUPPORTED_SIGNALS = ["metrics", "logs"] as const;

export type UnsupportedSignal = (typeof UNSUPPORTED_SIGNALS)[number];
export type Protocol = "grpc" | "http";

/**
 * The receipt of a request whose items were discarded. `message` is a warning for the sender's log.
 */
export interface UnsupportedReceipt {
  readonly outcome: "unsupported";
  readonly signal: UnsupportedSignal;
  /** The number of data points or log records in the request. */
  readonly rejectedItems: number;
  readonly message: string;
}

export interface UnsupportedRequest {
  readonly signal: UnsupportedSignal;
  readonly protocol: Protocol;
  /** The number of its data points or log records. */
  readonly items: number;
}

/**
 * Answers and counts requests of unsupported signals, so that an SDK with all exporters enabled
 * runs without errors.
 */
export class UnsupportedSignals {
  // Moved by `receive`: requests since the start.
  readonly counts: Readonly<Record<UnsupportedSignal, Record<Protocol, number>>> = {
    metrics: { grpc: 0, http: 0 },
    logs: { grpc: 0, http: 0 },
  };

  /** Counts a request that could be parsed, and returns its receipt. */
  receive({ signal, protocol, items }: UnsupportedRequest): UnsupportedReceipt {
    this.counts[signal][protocol] += 1;
    return { outcome: "unsupported", signal, rejectedItems: items, message: MESSAGES[signal] };
  }
}

const MESSAGES: Readonly<Record<UnsupportedSignal, string>> = {
  metrics: warning("metrics", "OTEL_METRICS_EXPORTER"),
  logs: warning("logs", "OTEL_LOGS_EXPORTER"),
};

function warning(signal: UnsupportedSignal, variable: string): string {
  const reason = `spanring stores traces only, not ${signal}`;
  return `${reason}; set ${variable}=none to stop sending them`;
}
