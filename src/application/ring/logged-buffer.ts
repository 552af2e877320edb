import type { BufferStats, ServiceStats, ServiceAmount, SpanAmount } from "../../domain/ledger.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import type { Logger } from "../../ports/logger.ts";
import { wholeLease } from "./ring-lease.ts";
import type {
  AppendResult,
  CopiedSpans,
  OldestSpans,
  Search,
  SequenceRange,
  Visit,
  Lease,
  LeasePart,
  MaybeLater,
  Settlement,
  TraceBuffer,
} from "../../ports/trace-buffer.ts";

/** Logs the amounts that enter or leave the buffer, at DEBUG, and nothing of their contents. */
export class LoggedBuffer implements TraceBuffer {
  // Fixed at construction.
  private readonly buffer: TraceBuffer;
  private readonly logger: Logger;

  constructor(buffer: TraceBuffer, logger: Logger) {
    this.buffer = buffer;
    this.logger = logger;
  }

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult {
    const appended = this.buffer.append(walked, rejected);
    const { spanCount: spans, spanBytes: bytes } = walked;
    this.logger.debug("appended", { outcome: appended.outcome, spans, bytes });
    return appended;
  }

  hasRoom(request: SpanAmount): boolean {
    return this.buffer.hasRoom(request);
  }

  copy(sequences: readonly number[]): CopiedSpans {
    const copied = this.buffer.copy(sequences);
    const { length: spans } = copied.sequences;
    const fields = { spans, request_bytes: copied.request.length };
    if (spans > 0) this.logger.debug("copied", fields);
    return copied;
  }

  peek(spanCount: number): OldestSpans {
    const peeked = this.buffer.peek(spanCount);
    this.logger.debug("peeked", { limit: spanCount, request_bytes: peeked.request.length });
    return peeked;
  }

  take(spanCount: number): MaybeLater<OldestSpans> {
    const taken = this.buffer.take(spanCount);
    return noted(taken, ({ request }) => {
      this.logger.debug("taken", { limit: spanCount, request_bytes: request.length });
    });
  }

  clear(): number {
    const spans = this.buffer.clear();
    this.logger.debug("cleared", { spans });
    return spans;
  }

  lease(limit: SpanAmount): MaybeLater<Lease | undefined> {
    return noted(this.buffer.lease(limit), (lease) => {
      const spans = lease?.sequences.length ?? 0;
      if (spans > 0) this.logger.debug("leased", { spans });
    });
  }

  leaseNewest(): Lease | undefined {
    const lease = this.buffer.leaseNewest();
    if (lease !== undefined) this.logger.debug("leased", { spans: 1 });
    return lease;
  }

  settle(lease: Lease, settlement: Settlement, part?: LeasePart): number {
    const evicted_spans = this.buffer.settle(lease, settlement, part);
    const { first, end } = part ?? wholeLease(lease);
    this.logger.debug("settled", { settlement, spans: end - first, evicted_spans });
    return evicted_spans;
  }

  oldestUnixMs(): number | undefined {
    return this.buffer.oldestUnixMs();
  }

  range(): SequenceRange {
    return this.buffer.range();
  }

  visit(search: Search, visit: Visit): void {
    this.buffer.visit(search, visit);
  }

  services(): ServiceStats[] {
    return this.buffer.services();
  }

  usedBytes(): number {
    return this.buffer.usedBytes();
  }

  hasSpilled(): boolean {
    return this.buffer.hasSpilled();
  }

  usedShare(): number {
    return this.buffer.usedShare();
  }

  stats(): BufferStats {
    return this.buffer.stats();
  }
}

/** Passes a result on, and notes it once it is known. */
function noted<Result>(
  result: MaybeLater<Result>,
  note: (result: Result) => void,
): MaybeLater<Result> {
  if (result instanceof Promise) return notedLater(result, note);
  note(result);
  return result;
}

async function notedLater<Result>(
  later: Promise<Result>,
  note: (result: Result) => void,
): Promise<Result> {
  const result = await later;
  note(result);
  return result;
}
