/** A piece of work, with its sender. */
interface Sent {
  readonly sender: string;
}

/**
 * Holds pieces that wait, and gives them out so that senders take turns: one with many pieces
 * delays the others by one piece each time. The pieces of one sender stay in order.
 *
 * Invariant: `pieces` has no empty set.
 */
export class SenderQueue<Piece extends Sent> {
  // Moved by `add` and `take`; the sender whose turn is next is first.
  private readonly pieces = new Map<string, Set<Piece>>();

  get isEmpty(): boolean {
    return this.pieces.size === 0;
  }

  /** Adds a piece behind those of its sender, unless it already waits. */
  add(piece: Piece): void {
    const waiting = this.pieces.get(piece.sender);
    if (waiting === undefined) this.pieces.set(piece.sender, new Set([piece]));
    else waiting.add(piece);
  }

  /** Removes the next piece, after which its sender is behind all others. */
  take(): Piece | undefined {
    for (const [sender, waiting] of this.pieces) return this.takeOf(sender, waiting);
    return undefined;
  }

  private takeOf(sender: string, waiting: Set<Piece>): Piece {
    const [piece] = waiting;
    waiting.delete(piece!);
    this.pieces.delete(sender);
    if (waiting.size > 0) this.pieces.set(sender, waiting);
    return piece!;
  }
}
