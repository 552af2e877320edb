import type { Logger } from "../ports/logger.ts";
import { TalliedLog } from "./tallied-log.ts";

/** What an SDK exports beside traces. */
export const UNKEPT_SIGNALS = ["metrics", "logs"] as const;

export type UnkeptSignal = (typeof UNKEPT_SIGNALS)[number];
export type Protocol = "grpc" | "http";

/** All is well, and nothing is kept. `message` is a warning, for the log of the sender. */
export interface NotKept {
  readonly outcome: "not_kept";
  readonly message: string;
}

/**
 * Answers for the signals that are not kept, so that an SDK with all its exporters on works without
 * errors; and counts their requests.
 */
export class UnkeptSignals {
  // Fixed at construction.
  private readonly log: TalliedLog;

  // Moved by `receive`: requests since the start.
  readonly counts: Readonly<Record<UnkeptSignal, Record<Protocol, number>>> = {
    metrics: { grpc: 0, http: 0 },
    logs: { grpc: 0, http: 0 },
  };

  constructor(logger: Logger) {
    this.log = new TalliedLog((fields) => logger.warning("signals_not_kept", fields));
  }

  /** To be called for each request, whatever is in it. */
  receive(signal: UnkeptSignal, protocol: Protocol): NotKept {
    this.counts[signal][protocol] += 1;
    this.log.note(signal);
    return ANSWERS[signal];
  }

  /** Writes what is not written yet. */
  stop(): void {
    this.log.close();
  }
}

const ANSWERS: Readonly<Record<UnkeptSignal, NotKept>> = {
  metrics: notKept("metrics", "OTEL_METRICS_EXPORTER"),
  logs: notKept("logs", "OTEL_LOGS_EXPORTER"),
};

function notKept(signal: UnkeptSignal, variable: string): NotKept {
  const reason = `spanring keeps traces only, and no ${signal}`;
  return { outcome: "not_kept", message: `${reason}; ${variable}=none stops sending them` };
}
