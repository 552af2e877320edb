import type { PausableListener } from "./descriptor-guard.ts";
import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";

type Server = ReturnType<typeof Bun.serve>;

interface ServedPortParts {
  /** Starts a server. Throws when it cannot listen. */
  readonly serve: (port: number) => Server;
  readonly port: number;
  /** Whether a pause aborts requests in flight. */
  readonly mayBreakOff: boolean;
}

/**
 * A port of Bun.serve. Its servers cannot be paused, so another server listens after a pause.
 *
 * If requests may not be aborted, they end as usual. But then connections without a complete
 * request stay until their idle time is over: Bun 1.4.5 does not close them once a server has
 * stopped gently (`test/quirks/bun-servers.test.ts`).
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
    // Only a Unix socket has no port.
    this.port = this.current.port ?? parts.port;
  }

  /** Counts the requests of all servers, paused ones included. */
  get pendingRequests(): number {
    return this.servers().reduce((sum, { pendingRequests }) => sum + pendingRequests, 0);
  }

  /** Closes connections that wait for their next request. */
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

  /** Stops accepting connections; resolves when all requests in flight are answered. */
  async stop(): Promise<void> {
    await Promise.all(this.servers().map((server) => server.stop()));
  }

  /** Aborts everything in flight. */
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

/** Looks up a host; rejects when it has no address. */
export type Lookup = (host: string) => Promise<unknown>;

/**
 * Rejects with the code `ENOTFOUND` when a host is neither an address nor a name that resolves. For
 * such a name, a listener of the runtime reports the error of its last system call instead
 * (`test/quirks/bun.test.ts`).
 */
export async function requireResolvable(
  host: string,
  lookup: Lookup = systemLookup,
): Promise<void> {
  if (isIP(host) !== 0) return;
  await lookup(host).catch((error: { code?: unknown }) => {
    throw Object.assign(new Error(`${String(error.code)}: ${host}`), { code: "ENOTFOUND" });
  });
}
