import { nextUnixPeer } from "../listening/unix-socket.ts";

/**
 * The sender of a request. All requests of one connection come from one port. Asking for one of
 * these for the first time costs a system call.
 */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** What a server must offer to find out the peer of a request. */
interface PeerFinder {
  requestIP(request: Request): Peer | null;
}

/**
 * Finds out the peer of a request when it is first asked for, while the request is in progress.
 *
 * One without an address came over a Unix socket, or its connection was closed in the turn of the
 * event loop in which it began, which its signal may not show yet. It gets the address of the
 * listener for such peers, and a port of its own.
 */
export class RequestPeer implements Peer {
  // Fixed at construction.
  private readonly request: Request;
  private readonly server: PeerFinder;
  private readonly unnamed: string;

  // Set when it is first asked for.
  private known: Peer | undefined;

  constructor(request: Request, server: PeerFinder, unnamed: string) {
    this.request = request;
    this.server = server;
    this.unnamed = unnamed;
  }

  get address(): string {
    return this.find().address;
  }

  get port(): number {
    return this.find().port;
  }

  private find(): Peer {
    this.known ??= this.server.requestIP(this.request) ?? this.unnamedPeer();
    return this.known;
  }

  private unnamedPeer(): Peer {
    return { address: this.unnamed, port: nextUnixPeer() };
  }
}
