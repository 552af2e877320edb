import type { SpanMatcher } from "../../domain/query/span-matcher.ts";
import type { SequenceRange, SequenceSource } from "../../ports/trace-buffer.ts";

/** Spans that are looked at in one go: well under a millisecond, whatever is asked of each. */
const SPANS_A_GO = 2048;

/** Where a trace is asked for only one column is read, a hundred times as fast. */
const TAILS_A_GO = 200_000;

export interface Scan {
  readonly matcher: Pick<SpanMatcher, "traceTail">;
  /** Only spans with a greater sequence; 0 for all. */
  readonly after: number;
  readonly newestFirst: boolean;
}

/** Looks at one piece; answers the sequence of the last span that is wanted, if that is enough. */
export type ScanPiece = (piece: SequenceRange) => number | undefined;

/**
 * Looks through the ring piece by piece, with a turn for everything else between two: spans arrive
 * on the same thread, and others look as well.
 *
 * Answers the range in which nothing was passed over. It ends where the looking ended, and what was
 * evicted before it was looked at is outside of it.
 */
export async function scanRing(
  buffer: SequenceSource,
  scan: Scan,
  scanPiece: ScanPiece,
): Promise<SequenceRange> {
  let seen = rangeAfter(buffer.range(), scan.after);
  for (const piece of piecesOf(seen, scan)) {
    const later = scheduler.next();
    // oxlint-disable-next-line no-await-in-loop -- pieces one after the other are the point
    if (later !== undefined) await later;
    seen = withoutEvicted(seen, piece, { ...buffer.range(), newestFirst: scan.newestFirst });
    const last = scanPiece(piece);
    if (last !== undefined) return cutAt(seen, last, scan.newestFirst);
  }
  return seen;
}

function rangeAfter({ first, next }: SequenceRange, after: number): SequenceRange {
  const firstWanted = Math.max(first, after + 1);
  return { first: firstWanted, next: Math.max(firstWanted, next) };
}

function* piecesOf(whole: SequenceRange, { matcher, newestFirst }: Scan): Generator<SequenceRange> {
  const size = matcher.traceTail === undefined ? SPANS_A_GO : TAILS_A_GO;
  for (let done = 0; done < whole.next - whole.first; done += size) {
    const first = newestFirst ? whole.next - done - size : whole.first + done;
    const [from, to] = [Math.max(first, whole.first), Math.min(first + size, whole.next)];
    yield { first: from, next: to };
  }
}

/**
 * Pieces may have been evicted before their turn: up to there, nothing can be said any more. Newest
 * first, what is behind the piece has been looked at, evicted or not.
 */
function withoutEvicted(
  seen: SequenceRange,
  piece: SequenceRange,
  buffered: SequenceRange & Pick<Scan, "newestFirst">,
): SequenceRange {
  if (buffered.first <= piece.first) return seen;
  const first = Math.min(buffered.first, buffered.newestFirst ? piece.next : seen.next);
  return { first: Math.max(seen.first, first), next: seen.next };
}

function cutAt(seen: SequenceRange, last: number, newestFirst: boolean): SequenceRange {
  return newestFirst ? { ...seen, first: last } : { ...seen, next: last + 1 };
}

/** What is waiting to be done on this thread is done first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Gives turns to everyone who looks through the ring: one turn in each round of the event loop,
 * whoever's it is, in the order in which they were asked for. So a hundred who look take no more of
 * the thread from those who append than one does; they wait longer instead.
 *
 * Invariant: while `isTaken`, a round that gives the next turn is due.
 */
export class ScanScheduler {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;

  /** Undefined when the turn is had at once: nobody else has had one in this round. */
  next(): Promise<void> | undefined {
    if (this.isTaken) return new Promise((resolve) => void this.waiting.push(resolve));
    this.isTaken = true;
    setImmediate(() => this.pass());
    return undefined;
  }

  private pass(): void {
    const resolve = this.waiting.shift();
    this.isTaken = resolve !== undefined;
    if (this.isTaken) setImmediate(() => this.pass());
    resolve?.();
  }
}

const scheduler = new ScanScheduler();
