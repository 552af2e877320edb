import type { Outcome } from "../../../application/counted-receiver.ts";
import type { LoggedBuffer } from "../../../application/logged-buffer.ts";
import type { WaitParts } from "../../../application/wait-for-spans.ts";
import type { Config } from "../../../config.ts";
import type { Unread } from "../../otlp/status-table.ts";

/** A receiver in this process, for as long as a command runs. */
export interface Receiver {
  readonly ports: Readonly<Record<"grpc" | "http" | "api", number | "off">>;
  readonly buffer: LoggedBuffer;
  readonly arrivals: WaitParts["arrivals"];
  /** How many requests have ended so, of all protocols. */
  readonly requests: (outcome: Outcome | Unread) => number;
  stop(): Promise<void>;
}

/** Rejects when it cannot listen. */
export type StartReceiver = (config: Config) => Promise<Receiver>;
