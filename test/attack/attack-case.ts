import type { Environment } from "../../src/config/config.ts";

export type Listener = "grpc" | "http" | "api";

/** Where the receiver listens on the loopback address. */
export type Ports = Readonly<Record<Listener, number>>;

/** An upstream that never answers, or that refuses or accepts all requests after a while. */
export type Upstream = "hangs" | "refuses" | "accepts";

/**
 * One row of the table: what an attacker does, and what it must not achieve.
 *
 * `run` is called in the attackers' process; all the rest is read by the process that measures.
 */
export interface Attack {
  readonly name: string;
  /** One sentence: what the attacker does. */
  readonly does: string;
  /**
   * Whether the facts that a busy machine cannot change hold today: the process lives, its
   * accounting balances, its memory keeps to the bound, and it refuses or breaks off no request of
   * a well-behaved client on a kept connection. Times are not part of it.
   */
  readonly expected: "holds" | "known to fail";
  /** Settings that the row needs; all others have their defaults. */
  readonly environment?: Environment;
  readonly maxOpenFiles?: number;
  /** The ring is filled with 64 MiB of spans before the attack begins. */
  readonly fillsRing?: boolean;
  /** What the receiver forwards to, where the row is about its backlog. */
  readonly upstream?: Upstream;
  /** SIGTERM is sent while the attack goes on, and the time of the shutdown is measured. */
  readonly stops?: boolean;
  readonly run: (field: Field) => Promise<void>;
}

/** What an attack has at hand while it runs. */
export interface Field {
  readonly ports: Ports;
  /** What the attacker received, by kind: statuses, resets, refused connections. */
  readonly tally: Tally;
  /** Resolves when the attack has to end. */
  readonly over: Promise<void>;
  readonly isOver: () => boolean;
  /** The first number, or the second in the short form that runs with the tests. */
  readonly size: (full: number, short: number) => number;
}

/** Counts by kind. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }
}
