import type { Socket } from "node:net";
import type { SenderTurns } from "../listening/sender-turns.ts";

/** As many as the backlog of the listening socket holds. */
export const MAX_WAITING = 512;

/**
 * Begins accepted connections while the turn of the event loop has time, and the first one of each
 * address; the others in later turns.
 *
 * Bun accepts all connections that wait, and those that arrive meanwhile, in one turn
 * (`test/quirks/bun.test.ts`): a thousand of them, under a flood. To accept one takes 5 to 10
 * microseconds, and to begin it twice as long. A peer that waits has its turn like one that has
 * sent bytes; one that is gone by then costs nothing more.
 */
export class AcceptedSockets {
  // Fixed at construction.
  private readonly turns: SenderTurns;
  private readonly begin: (socket: Socket) => void;

  // Moved by `add`, the turns and `destroyAll`.
  private readonly waiting = new Set<Socket>();

  constructor(turns: SenderTurns, begin: (socket: Socket) => void) {
    this.turns = turns;
    this.begin = begin;
  }

  /** Begins the connection at once if too many wait, so that their number is bounded. */
  add(socket: Socket): void {
    const sender = socket.remoteAddress ?? "";
    const mayBegin = this.turns.mayBegin(sender);
    if (mayBegin || this.waiting.size >= MAX_WAITING) this.begin(socket);
    else this.queue(socket, sender);
  }

  /** Closes those that wait, like those that the system has not handed over yet. */
  destroyAll(): void {
    for (const socket of this.waiting) socket.destroy();
    this.waiting.clear();
  }

  private queue(socket: Socket, sender: string): void {
    this.waiting.add(socket);
    this.turns.queue({ sender, step: () => this.beginWaiting(socket) });
  }

  private beginWaiting(socket: Socket): false {
    if (this.waiting.delete(socket) && !socket.destroyed) this.begin(socket);
    return false;
  }
}
