import { nextUnixPeer, UNIX_PEER } from "../listening/unix-socket.ts";

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

/** Finds out the peer of a request when it is first asked for, while the request is in progress. */
export class RequestPeer implements Peer {
  // Fixed at construction.
  private readonly request: Request;
  private readonly server: PeerFinder;

  // Set when it is first asked for.
  private known: Peer | undefined;

  constructor(request: Request, server: PeerFinder) {
    this.request = request;
    this.server = server;
  }

  get address(): string {
    return this.find().address;
  }

  get port(): number {
    return this.find().port;
  }

  private find(): Peer {
    this.known ??= this.server.requestIP(this.request) ?? unnamedPeer(this.request);
    return this.known;
  }
}

/**
 * Returns the peer of a request without an address. It came over a Unix socket, and has a peer of
 * its own; or its connection was closed in the turn of the event loop in which it began.
 */
function unnamedPeer({ signal }: Request): Peer {
  return { address: signal.aborted ? "" : UNIX_PEER, port: nextUnixPeer() };
}
