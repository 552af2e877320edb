import type { SpanMatcher } from "../../domain/query/span-matcher.ts";
import type { SequenceRange, SequenceSource } from "../../ports/trace-buffer.ts";

/** The spans of one piece: matching them takes well under a millisecond, whatever the filter. */
const SPANS_PER_PIECE = 2048;

/** The spans of one piece if the filter requires a trace: one column is read, 100 times as fast. */
const TRACE_TAILS_PER_PIECE = 200_000;

export interface Scan {
  readonly matcher: Pick<SpanMatcher, "traceTail">;
  /** Only spans with a greater sequence; 0 for all. */
  readonly after: number;
  readonly newestFirst: boolean;
}

/** Scans one piece. Returns the sequence of the last span to scan, if no more are needed. */
export type ScanPiece = (piece: SequenceRange) => number | undefined;

/**
 * Scans the ring piece by piece, with a turn for everything else between two pieces: spans arrive
 * on the same thread, and there may be other scans.
 *
 * Returns the range in which no span was missed. It ends where the scan ended, and leaves out what
 * was evicted before it was scanned.
 */
export async function scanRing(
  buffer: SequenceSource,
  scan: Scan,
  scanPiece: ScanPiece,
): Promise<SequenceRange> {
  let seen = rangeAfter(buffer.range(), scan.after);
  for (const piece of piecesOf(seen, scan)) {
    const turnToCome = scheduler.next();
    // oxlint-disable-next-line no-await-in-loop -- pieces one after the other are the point
    if (turnToCome !== undefined) await turnToCome;
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
  const size = matcher.traceTail === undefined ? SPANS_PER_PIECE : TRACE_TAILS_PER_PIECE;
  for (let done = 0; done < whole.next - whole.first; done += size) {
    const first = newestFirst ? whole.next - done - size : whole.first + done;
    const [from, to] = [Math.max(first, whole.first), Math.min(first + size, whole.next)];
    yield { first: from, next: to };
  }
}

/**
 * Leaves out what was evicted before its turn. If the newest come first, everything after the piece
 * has been scanned already, whether it is evicted now or not.
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

/** Resolves when everything that waits for this thread has had a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Gives turns to all scans of this thread: one in each round of the event loop, first come, first
 * served. So a hundred scans take no more time from receivers than one does; each takes longer.
 *
 * Invariant: while `isTaken`, a round that gives the next turn is due.
 */
export class ScanScheduler {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;

  /** Returns undefined if the turn begins at once, as no other scan has had one in this round. */
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
