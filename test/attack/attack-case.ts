import type { Environment } from "../../src/config/config.ts";

export type Listener = "grpc" | "http" | "api";

/** The ports of the receiver on the loopback address. */
export type Ports = Readonly<Record<Listener, number>>;

/** The upstream: it hangs without answering, refuses all requests, or accepts them. */
export type Upstream = "hangs" | "refuses" | "accepts";

/**
 * A row of the table: what an attacker does and must not achieve.
 *
 * `run` is called in the process of the attackers; all other members are read by the process that
 * measures.
 */
export interface Attack {
  readonly name: string;
  /** A sentence that says what the attacker does. */
  readonly does: string;
  /**
   * Whether the facts that do not depend on a busy machine hold today: the process lives, its
   * accounting balances, its memory stays within the bound, and kept connections lose no request.
   */
  readonly expected: "holds" | "known to fail";
  /** Settings of this row; all others have their defaults. */
  readonly environment?: Environment;
  readonly maxOpenFiles?: number;
  /** Whether senders need a token, which the well-behaved clients have. */
  readonly requiresToken?: boolean;
  /** Whether the ring is filled with 64 MiB of spans before the attack. */
  readonly fillsRing?: boolean;
  /** The upstream to which the receiver forwards, if the row is about its backlog. */
  readonly upstream?: Upstream;
  /** Whether SIGTERM is sent during the attack, to measure the shutdown. */
  readonly stops?: boolean;
  readonly run: (field: Field) => Promise<void>;
}

/** The context of a running attack. */
export interface Field {
  readonly ports: Ports;
  /** The responses to the attacker, by kind: statuses, resets, refused connections. */
  readonly tally: Tally;
  /** Resolves when the attack has to end. */
  readonly over: Promise<void>;
  readonly isOver: () => boolean;
  /** Returns the first number, or the second in the short form that runs with the tests. */
  readonly size: (full: number, short: number) => number;
}

/** Counts by kind. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }
}
