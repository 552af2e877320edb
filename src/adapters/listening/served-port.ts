import type { ListenAddress } from "../../config/config.ts";
import { socketPathOf } from "../../domain/text/host-address.ts";
import type { TimerClock } from "../../ports/clock.ts";
import { AcceptHold } from "./accept-hold.ts";
import type { PausableListener } from "./descriptor-guard.ts";
import { closeSocket, type SocketFile, socketFileOf } from "./unix-socket.ts";
import { handOverPort, listeningDescriptors, type PortHandover } from "./port-handover.ts";
import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";

type Server = ReturnType<typeof Bun.serve>;

interface ServedPortParts {
  /** Starts a server. Throws when it cannot listen. `reusePort` allows it to share the port. */
  readonly serve: (port: number, reusePort: boolean) => Server;
  readonly address: Pick<ListenAddress, "host" | "port">;
  /** Whether a pause aborts requests in flight. */
  readonly mayBreakOff: boolean;
  /** Set if the server may have to be replaced. */
  readonly clock?: TimerClock | undefined;
  /** Called when the port listens again after it could not, except by `resume`. */
  readonly listensAgain?: () => void;
}

/**
 * A port of Bun.serve. Its servers cannot be paused, so another server listens after a pause; where
 * the system can hold back connections, the same one stays.
 *
 * If requests may not be aborted, they end as usual. But then connections without a complete
 * request stay until their idle time is over: Bun 1.4.5 does not close them once a server has
 * stopped gently (`test/quirks/bun-servers.test.ts`).
 */
export class ServedPort implements PausableListener {
  // Fixed at construction.
  readonly port: number;
  private readonly parts: ServedPortParts;
  private readonly acceptHold: AcceptHold;

  // Moved by `hold`, `pause`, `resume`, `replace`, `stop`, and the ends of earlier servers.
  private current: Server | undefined;
  private readonly earlier = new Set<Server>();
  /** Replaced servers, which keep their connections, oldest first. */
  private readonly kept = new Set<Server>();
  /** The file of the current server at a Unix socket. */
  private file: SocketFile | undefined;
  /** The descriptor of the listening socket, if it may have to be handed over. */
  private descriptor: number | undefined;
  private finishHandover: (() => void) | undefined;
  private cancelHandover: (() => void) | undefined;
  /** Whether the current server is older than the last call of `replace`. */
  private isOutdated = false;
  private isPaused = false;
  /** Once set by `stop` or `abort`, nothing listens again. */
  private isStopped = false;

  constructor(parts: ServedPortParts) {
    this.parts = parts;
    this.current = this.listen(parts.address.port);
    // Only a Unix socket has no port.
    this.port = this.current.port ?? parts.address.port;
    this.acceptHold = new AcceptHold(this.port);
  }

  get canHold(): boolean {
    return this.acceptHold.isPossible;
  }

  /** Counts the requests of all servers, paused ones included. */
  get pendingRequests(): number {
    return this.servers().reduce((sum, { pendingRequests }) => sum + pendingRequests, 0);
  }

  /** Closes connections that wait for their next request. */
  relieve(): void {
    for (const server of this.servers()) server.closeIdleConnections();
  }

  hold(): void {
    this.settleHandover();
    if (!this.acceptHold.begin()) this.pause();
  }

  pause(): void {
    this.settleHandover();
    this.acceptHold.end();
    this.isPaused = true;
    if (this.current !== undefined) this.endLater(this.current);
    this.current = undefined;
  }

  async resume(): Promise<void> {
    this.acceptHold.end();
    if (this.isStopped) return;
    this.current ??= this.listen(this.port);
    this.isPaused = false;
    if (this.isOutdated) this.replace();
  }

  /**
   * Lets another server accept all further connections. Open ones stay with the server that has
   * accepted them. Waits while an earlier call is being carried out, and while the port is paused
   * or held. Does nothing once the port is stopped: files may be reloaded in the grace period.
   *
   * Throws if the other server cannot listen; then it is tried again every `HANDOVER_MS` until it
   * can. Meanwhile the old server goes on; where ports cannot be handed over, it is closed already,
   * so connections are refused, and exporters retry.
   */
  replace(): void {
    this.isOutdated = true;
    const mayListen = !this.isStopped && !this.isPaused && !this.acceptHold.isHeld;
    if (!mayListen || this.finishHandover !== undefined) return;
    this.planEnd();
    this.replaceNow(this.current);
  }

  /**
   * Stops accepting connections; resolves when all requests in flight are answered. Idle
   * connections are closed first: with TLS, the end would wait for the answer of a client to it,
   * and many clients read nothing before their next request.
   */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.settleHandover();
    this.relieve();
    await this.stopAll(false);
  }

  /** Aborts everything in flight. */
  async abort(): Promise<void> {
    this.isStopped = true;
    this.settleHandover();
    await this.stopAll(true);
  }

  private async stopAll(byForce: boolean): Promise<void> {
    await Promise.all(this.servers().map((server) => this.end(server, byForce)));
  }

  private end(server: Server, byForce: boolean): Promise<void> {
    if (server !== this.current) return server.stop(byForce);
    const { file } = this;
    this.file = undefined;
    return closeSocket(file, () => server.stop(byForce));
  }

  private servers(): Server[] {
    const earlier = [...this.earlier, ...this.kept];
    return this.current === undefined ? earlier : [...earlier, this.current];
  }

  private listen(port: number, reusePort = false): Server {
    const [server, descriptor] = listenAt(this.parts, port, reusePort);
    this.descriptor = descriptor;
    this.file = socketFileOf(this.parts.address);
    this.isOutdated = false;
    return server;
  }

  private replaceNow(old: Server | undefined): void {
    if (old === undefined) return this.listenAgain();
    if (this.kept.size === MAX_KEPT_SERVERS) this.endOldest();
    if (!this.handOver(old)) this.stopAndListen(old);
  }

  /** Returns whether the other server listens; otherwise this system cannot hand a port over. */
  private handOver(old: Server): boolean {
    const handover = handOverPort(this.descriptor, () => this.listenBeside());
    if (handover !== undefined) this.beginHandover(old, handover);
    return handover !== undefined;
  }

  private beginHandover(old: Server, { finish }: PortHandover): void {
    this.kept.add(old);
    this.finishHandover = finish;
  }

  /** Plans the end of a handover, or another attempt if it cannot begin. */
  private planEnd(): void {
    this.cancelHandover?.();
    this.cancelHandover = this.parts.clock?.schedule(HANDOVER_MS, () => this.endHandover());
  }

  private endHandover(): void {
    this.settleHandover();
    // The next attempt is planned already.
    if (this.isOutdated) attempt(() => this.replace());
  }

  private listenBeside(): number | undefined {
    this.current = this.listen(this.port, true);
    return this.descriptor;
  }

  private settleHandover(): void {
    this.cancelHandover?.();
    this.finishHandover?.();
    this.cancelHandover = this.finishHandover = undefined;
  }

  /**
   * Refuses connections for a moment, or, if the new server cannot listen, until `listenAgain`
   * succeeds.
   */
  private stopAndListen(old: Server): void {
    this.endLater(old);
    this.current = undefined;
    this.current = this.listen(this.port);
  }

  private listenAgain(): void {
    this.current = this.listen(this.port);
    this.parts.listensAgain?.();
  }

  private endOldest(): void {
    const [oldest] = this.kept;
    if (oldest === undefined) return;
    this.kept.delete(oldest);
    this.endLater(oldest);
  }

  private endLater(server: Server): void {
    this.earlier.add(server);
    void this.end(server, this.parts.mayBreakOff).finally(() => this.earlier.delete(server));
  }
}

/** Starts a server, and finds the descriptor of its socket if it may have to be handed over. */
function listenAt(
  { serve, clock }: ServedPortParts,
  port: number,
  reusePort: boolean,
): [Server, descriptor: number | undefined] {
  if (clock === undefined) return [serve(port, reusePort), undefined];
  const known = listeningDescriptors();
  const server = serve(port, reusePort);
  const [descriptor] = listeningDescriptors().difference(known);
  return [server, descriptor];
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The caller goes on as before.
  }
}

/** The time in which connections reach the queue of the old socket, and are accepted. */
export const HANDOVER_MS = 1_000;

/** Bounds the memory of replaced servers, which the runtime does not end with their connections. */
const MAX_KEPT_SERVERS = 8;

interface ServedPlace {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
}

/**
 * Returns where `Bun.serve` listens. Its types want either a port or a Unix socket, and nothing in
 * between.
 */
export function servedPlace(
  { host }: ListenAddress,
  port: number,
  reusePort: boolean,
): ServedPlace {
  const unix = socketPathOf(host);
  // `development: false` alone shares the port with others that do the same (Bun 1.4.5,
  // `test/quirks/bun.test.ts`), so `reusePort` is always given.
  if (unix === undefined) return { hostname: host, port, reusePort };
  return { unix } as unknown as ServedPlace;
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
