import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../src/application/log/durable-buffer.ts";
import type { LogLease } from "../../src/application/log/lease-spans.ts";
import type { LogParts, LogRequest } from "../../src/application/log/log-state.ts";
import type { Recovery } from "../../src/application/log/recover-log.ts";
import { type LogStats, SpanLog } from "../../src/application/log/span-log.ts";
import { ObservabilityBuffer } from "../../src/application/ring/observability-buffer.ts";
import { assert } from "../../src/domain/assert.ts";
import type { SpanAmount } from "../../src/domain/ledger.ts";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import type { Lease, LeasePart, Settlement } from "../../src/ports/trace-buffer.ts";

/** What a simulation does with a log. */
export type SimulatedLog = Pick<
  SpanLog,
  "append" | "clear" | "sync" | "close" | "stats" | "recovery"
> & {
  lease(limit: SpanAmount): Promise<LogLease | undefined>;
  settle(lease: LogLease, settlement: Settlement, part?: LeasePart): number;
  /** Reports whether a span is on the disk, or was meant to be. */
  isLogged(sequence: number): boolean;
  /** Returns the sequence at which the spans in memory begin; 0 without a ring. */
  memoryFirst(): number;
};

/** Returns a log without a ring, which is all in itself. */
export async function openBareLog(parts: LogParts): Promise<SimulatedLog> {
  const log = await SpanLog.open(parts);
  return Object.assign(log, { isLogged: () => true, memoryFirst: () => 0 });
}

const RING_BYTES = 64 * 1024;
const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** What a ring and its log are checked against. */
interface Checked {
  /** Receives the sequence at which memory begins, after an eviction. */
  readonly evicted: (memoryFirst: number) => void;
  /** Returns the amount of the buffered spans that are in memory only. */
  readonly memoryOnly: () => SpanAmount;
}

/**
 * A log with a ring that is much smaller, used only through the buffer of both. Every reading of
 * the counters checks that those of the ring and of the log are equal, but for the spans that are
 * in memory only.
 */
export class RingedLog implements SimulatedLog {
  private readonly log: SpanLog;
  private readonly buffer: DurableBuffer;
  private readonly memoryOnly: () => SpanAmount;

  private constructor(log: SpanLog, buffer: DurableBuffer, { memoryOnly }: Checked) {
    this.log = log;
    this.buffer = buffer;
    this.memoryOnly = memoryOnly;
  }

  static async open(parts: LogParts, ringSpans: number, checked: Checked): Promise<RingedLog> {
    const capacity = { spans: ringSpans, bytes: RING_BYTES };
    const ring = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });
    const buffer = new DurableBuffer({ ring, maxRequestBytes: RING_BYTES, isWholeLog: true });
    const log = await SpanLog.open(withBuffer(parts, buffer, checked));
    await buffer.attach(log);
    return new RingedLog(log, buffer, checked);
  }

  get recovery(): Recovery {
    return this.log.recovery;
  }

  append(request: LogRequest): ReturnType<SpanLog["append"]> {
    const stored = (first: number): void => {
      walkRequest(walked, request.bytes);
      this.buffer.append(walked);
      request.stored?.(first);
    };
    return this.buffer.log({ ...request, stored });
  }

  isLogged(sequence: number): boolean {
    return this.log.extentOf(sequence) !== undefined;
  }

  memoryFirst(): number {
    return this.buffer.range().first;
  }

  async lease(limit: SpanAmount): Promise<LogLease | undefined> {
    return await this.buffer.lease(limit);
  }

  settle(lease: LogLease, settlement: Settlement, part?: LeasePart): number {
    return this.buffer.settle(lease as Lease, settlement, part);
  }

  clear(): number {
    return this.buffer.clear();
  }

  sync(): Promise<void> {
    return this.log.sync();
  }

  close(): Promise<void> {
    return this.log.close();
  }

  stats(): LogStats {
    const stats = this.log.stats();
    assertEqual(this.buffer, stats, this.memoryOnly());
    return stats;
  }
}

function withBuffer(parts: LogParts, buffer: DurableBuffer, { evicted }: Checked): LogParts {
  const { watcher } = parts;
  return {
    ...parts,
    memory: buffer.memory,
    watcher: {
      ...watcher,
      evicted: (segment) => {
        watcher.evicted(segment);
        buffer.evict(segment);
        evicted(buffer.range().first);
      },
      damaged: (damage) => {
        watcher.damaged(damage);
        buffer.damaged(damage);
      },
    },
  };
}

function assertEqual(buffer: DurableBuffer, log: LogStats, memoryOnly: SpanAmount): void {
  const { spans, bytes, spilled } = buffer.stats();
  const hasMemoryOnly = spans.accepted > log.spans.accepted;
  const inMemory = spans.buffered - log.spans.buffered;
  assert(inMemory === memoryOnly.spans, `${inMemory} in memory only, not ${memoryOnly.spans}`);
  assert(bytes.buffered - log.bytes.buffered === memoryOnly.bytes, "bytes in memory only");
  for (const entry of ["taken", "delivered", "undeliverable"] as const) {
    // What was in memory only may have departed too.
    const [ofRing, ofLog] = [spans[entry], log.spans[entry]];
    const isRight = hasMemoryOnly ? ofRing >= ofLog : ofRing === ofLog;
    assert(isRight, `${entry}: ${ofRing}, not ${ofLog}`);
    assert(ofRing !== ofLog || bytes[entry] === log.bytes[entry], `bytes of ${entry} spans`);
  }
  assert(spilled !== undefined && spilled.spans <= spans.buffered, "spilled spans are buffered");
  const byService = buffer.services().reduce((sum, each) => sum + each.spans.buffered, 0);
  assert(byService === spans.buffered, `${byService} buffered by service, not ${spans.buffered}`);
}
