import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";

/** What an SDK exports beside traces. */
export const UNSUPPORTED_SIGNALS = ["metrics", "logs"] as const;

export type UnsupportedSignal = (typeof UNSUPPORTED_SIGNALS)[number];
export type Protocol = "grpc" | "http";

/** All is well, and nothing is kept. `message` is a warning, for the log of the sender. */
export interface UnsupportedReceipt {
  readonly outcome: "unsupported";
  readonly signal: UnsupportedSignal;
  /** All data points or log records of the request. */
  readonly rejectedItems: number;
  readonly message: string;
}

export interface UnsupportedRequest {
  readonly signal: UnsupportedSignal;
  readonly protocol: Protocol;
  /** How many data points or log records it has. */
  readonly items: number;
}

/**
 * Answers for the signals that are not kept, so that an SDK with all its exporters on works without
 * errors; and counts their requests.
 */
export class UnsupportedSignals {
  // Fixed at construction.
  private readonly log: RateLimitedLog;

  // Moved by `receive`: requests since the start.
  readonly counts: Readonly<Record<UnsupportedSignal, Record<Protocol, number>>> = {
    metrics: { grpc: 0, http: 0 },
    logs: { grpc: 0, http: 0 },
  };

  constructor(logger: Logger, clock: TimerClock) {
    this.log = new RateLimitedLog(clock, (fields) => logger.warning("signals_unsupported", fields));
  }

  /** To be called for each request that could be read. */
  receive({ signal, protocol, items }: UnsupportedRequest): UnsupportedReceipt {
    this.counts[signal][protocol] += 1;
    this.log.note(signal);
    return { outcome: "unsupported", signal, rejectedItems: items, message: MESSAGES[signal] };
  }

  /** Writes what is not written yet. */
  stop(): void {
    this.log.close();
  }
}

const MESSAGES: Readonly<Record<UnsupportedSignal, string>> = {
  metrics: warning("metrics", "OTEL_METRICS_EXPORTER"),
  logs: warning("logs", "OTEL_LOGS_EXPORTER"),
};

function warning(signal: UnsupportedSignal, variable: string): string {
  const reason = `spanring keeps traces only, and no ${signal}`;
  return `${reason}; ${variable}=none stops sending them`;
}
