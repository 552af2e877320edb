import type { Socket } from "node:net";
import type { InFlightOwner } from "../memory/in-flight-budget.ts";

/** Who is at the other end, and at which of our ports: no two open connections have the same. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

export function endsKey({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** An accepted socket. */
export class Connection implements InFlightOwner {
  // Fixed at construction.
  readonly socket: Socket;
  readonly address: string;
  readonly key: string;
  private readonly noted: (reason: "in_flight_bytes") => void;

  // Moved by the first stream, and by `close`.
  hasBegun = false;
  private isClosing = false;

  /** Resolves when the socket is closed, whoever closed it. */
  readonly closed: Promise<void>;

  constructor(socket: Socket, noted: (reason: "in_flight_bytes") => void) {
    this.socket = socket;
    this.noted = noted;
    this.address = socket.remoteAddress ?? "";
    this.key = endsKey(socket);
    this.closed = new Promise((resolve) => void socket.once("close", () => resolve()));
  }

  /** Not at once: this may be called while the HTTP/2 parser is within the socket's bytes. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    setImmediate(() => this.socket.destroy());
  }

  /** Its unfinished messages were too much for the budget. */
  dropped(): void {
    this.close();
    this.noted("in_flight_bytes");
  }
}
