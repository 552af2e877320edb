import type { PausableListener } from "./descriptor-guard.ts";

type Server = ReturnType<typeof Bun.serve>;

export interface ServedPortParts {
  /** Throws when it cannot listen. */
  readonly serve: (port: number) => Server;
  readonly port: number;
  /** Whether a pause breaks off requests that are in flight. */
  readonly mayBreakOff: boolean;
}

/**
 * A port of Bun.serve, which can only stop for good: after a pause another server listens there.
 *
 * Where requests may not be broken off, they end as they would have; but then connections that have
 * never sent a whole one stay until they have been idle for long: once a server has stopped gently,
 * Bun 1.4.5 does not close them, whatever it is told.
 */
export class ServedPort implements PausableListener {
  // Fixed at construction.
  readonly port: number;
  private readonly parts: ServedPortParts;

  // Moved by `pause`, `resume`, and the ends of earlier servers.
  private current: Server | undefined;
  private readonly earlier = new Set<Server>();

  constructor(parts: ServedPortParts) {
    this.parts = parts;
    this.current = parts.serve(parts.port);
    // A Unix socket would have none.
    this.port = this.current.port ?? parts.port;
  }

  /** Of those that are not paused, too. */
  get pendingRequests(): number {
    return this.servers().reduce((sum, { pendingRequests }) => sum + pendingRequests, 0);
  }

  /** Closes connections that have had an answer and wait for nothing. */
  relieve(): void {
    this.current?.closeIdleConnections();
  }

  pause(): void {
    if (this.current === undefined) return;
    this.earlier.add(this.current);
    void this.end(this.current);
    this.current = undefined;
  }

  async resume(): Promise<void> {
    this.current ??= this.parts.serve(this.port);
  }

  /** Takes no more connections; resolves when the requests in flight are answered. */
  async stop(): Promise<void> {
    await Promise.all(this.servers().map((server) => server.stop()));
  }

  /** Breaks off whatever is under way. */
  async abort(): Promise<void> {
    await Promise.all(this.servers().map((server) => server.stop(true)));
  }

  private servers(): Server[] {
    return this.current === undefined ? [...this.earlier] : [...this.earlier, this.current];
  }

  private async end(server: Server): Promise<void> {
    await server.stop(this.parts.mayBreakOff);
    this.earlier.delete(server);
  }
}
