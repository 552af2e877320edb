import type { LoggedBuffer } from "../../../application/ring/logged-buffer.ts";
import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import type { WaitParts } from "../../../application/waiting/wait-for-spans.ts";
import type { Config } from "../../../config/config.ts";

/** A receiver in this process, for as long as a command runs. */
export interface Receiver {
  readonly ports: Readonly<Record<"grpc" | "http" | "api", number | "off">>;
  readonly buffer: LoggedBuffer;
  readonly arrivals: WaitParts["arrivals"];
  /** How often something was refused or discarded since the start. */
  readonly problems: () => readonly ProblemTotal[];
  stop(): Promise<void>;
}

/** Rejects when it cannot listen. */
export type StartReceiver = (config: Config) => Promise<Receiver>;
