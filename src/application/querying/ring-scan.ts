import type { SpanMatcher } from "../../domain/query/span-matcher.ts";
import type { SequenceRange, SequenceSource } from "../../ports/trace-buffer.ts";

/** Spans per piece: matching them takes well under a millisecond with any filter. */
export const SPANS_PER_PIECE = 2048;

/** Spans per piece if the filter requires a trace: only one column is read, 100 times as fast. */
const TRACE_TAILS_PER_PIECE = 200_000;

/** Spans per piece at most if the matcher marks the traces that it requires. */
const TRACE_MARKS_PER_PIECE = 32_768;

/** The size of a piece that is searched for a text, which takes about a millisecond. */
const TEXT_BYTES_PER_PIECE = 1024 * 1024;
const FIRST_TEXT_SPANS = 16;

export interface Scan {
  readonly matcher: Pick<SpanMatcher, "traceTail" | "tailMarks" | "searchedBytes">;
  /** Selects only spans with a greater sequence; 0 selects all. */
  readonly after: number;
  readonly newestFirst: boolean;
  /** Returns the number of spans in the next piece, if pieces are to be smaller than usual. */
  readonly spansPerPiece?: () => number;
}

/** Scans one piece. Returns the sequence of the last span needed, or undefined to continue. */
export type ScanPiece = (piece: SequenceRange) => number | undefined;

/**
 * Scans the ring in pieces and yields to everything else between two of them, because spans arrive
 * on the same thread, and other scans may be in progress.
 *
 * Returns the range that was scanned completely. It ends where the scan ended, and excludes spans
 * that were evicted before they were scanned.
 */
export async function scanRing(
  buffer: SequenceSource,
  scan: Scan,
  scanPiece: ScanPiece,
): Promise<SequenceRange> {
  let seen = rangeAfter(buffer.range(), scan.after);
  for (const piece of piecesOf(seen, scan)) {
    const turnToCome = scheduler.next();
    // oxlint-disable-next-line no-await-in-loop -- pieces are scanned one at a time
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

function* piecesOf(whole: SequenceRange, scan: Scan): Generator<SequenceRange> {
  const { newestFirst } = scan;
  for (let done = 0, size = 0; done < whole.next - whole.first; done += size) {
    size = pieceSize(scan, size);
    const first = newestFirst ? whole.next - done - size : whole.first + done;
    const [from, to] = [Math.max(first, whole.first), Math.min(first + size, whole.next)];
    yield { first: from, next: to };
  }
}

function pieceSize({ matcher, spansPerPiece }: Scan, lastSize: number): number {
  if (matcher.traceTail !== undefined) return TRACE_TAILS_PER_PIECE;
  const limit = matcher.tailMarks === undefined ? SPANS_PER_PIECE : TRACE_MARKS_PER_PIECE;
  const most = Math.min(spansPerPiece?.() ?? SPANS_PER_PIECE, limit);
  const searchedBytes = matcher.searchedBytes?.();
  if (searchedBytes === undefined) return most;
  if (lastSize === 0) return Math.min(most, FIRST_TEXT_SPANS);
  const growth = Math.min(2, TEXT_BYTES_PER_PIECE / searchedBytes);
  return Math.min(most, Math.max(1, Math.floor(lastSize * growth)));
}

/**
 * Excludes spans that were evicted before their turn. If the newest come first, everything after
 * the piece has been scanned already, whether or not it has since been evicted.
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

/** Resolves when everything waiting for this thread has had a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Gives turns to all scans of this thread, one per round of the event loop, first come, first
 * served. So a hundred scans take no more time from receivers than one does; each just takes
 * longer.
 *
 * Invariant: while `isTaken` is set, a round that gives the next turn is due.
 */
export class ScanScheduler {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;

  /**
   * Returns undefined if the turn begins at once, because no other scan has had one in this round.
   */
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
