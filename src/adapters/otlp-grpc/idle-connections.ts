import type { TimerClock } from "../../ports/clock.ts";
import type { Connection } from "./connection-table.ts";

/** The checks in the time after which a connection is idle. */
const CHECKS = 10;

/**
 * Closes connections without a call for `idleMs`, or a tenth more. grpc-js does so as well, but
 * knows only of the calls that it handles. A call costs two additions, and no timer.
 */
export class IdleConnections implements Disposable {
  // Fixed at construction.
  private readonly connections: Iterable<Connection>;
  private readonly cancel: () => void;

  constructor(connections: Iterable<Connection>, idleMs: number, clock: TimerClock) {
    this.connections = connections;
    this.cancel = clock.repeat(idleMs / CHECKS, () => this.check());
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  private check(): void {
    for (const connection of this.connections) {
      connection.quietChecks += 1;
      if (connection.openCalls === 0 && connection.quietChecks > CHECKS) connection.closeIdle();
    }
  }
}
