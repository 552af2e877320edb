import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * The requests after which the count begins anew at the end of the turn. Most turns have a single
 * request, and asking for the end of each would cost a thirtieth of its time.
 */
const BATCH = 32;

/** The maximum number of requests that begin in one turn of the event loop without waiting. */
const MAX_A_TURN = 96;

/**
 * Limits the requests of one turn of the event loop.
 *
 * Bun hands over all requests that a socket has, tens of thousands of them, before it turns to the
 * next socket. But when a request is not answered at once, and another follows on its connection,
 * Bun closes the connection (1.4.5, `test/quirks/bun.test.ts`). So a flood of pipelined requests
 * ends itself, and requests of other connections are answered a turn later.
 */
export class RequestTurns {
  // Moved by `next` and the end of the turn.
  private begunCount = 0;
  /** The next turn, shared by all requests that wait for it: a flood has thousands. */
  private later: Promise<void> | undefined;

  /**
   * Returns undefined if a request may begin at once, or a promise of a later turn. At least
   * `MAX_A_TURN - BATCH` of each turn begin at once, whatever came before.
   */
  next(): Promise<void> | undefined {
    this.begunCount += 1;
    if (this.begunCount === BATCH) setImmediate(() => this.reset());
    return this.begunCount > MAX_A_TURN ? (this.later ??= nextTurn()) : undefined;
  }

  private reset(): void {
    this.begunCount = 0;
    this.later = undefined;
  }
}
