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
};

const RING_BYTES = 64 * 1024;
const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/**
 * A log with a ring that is much smaller, used only through the buffer of both. Every reading of
 * the counters checks that those of the ring and of the log are equal.
 */
export class RingedLog implements SimulatedLog {
  private readonly log: SpanLog;
  private readonly buffer: DurableBuffer;

  private constructor(log: SpanLog, buffer: DurableBuffer) {
    this.log = log;
    this.buffer = buffer;
  }

  static async open(parts: LogParts, ringSpans: number): Promise<RingedLog> {
    const capacity = { spans: ringSpans, bytes: RING_BYTES };
    const ring = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });
    const buffer = new DurableBuffer({ ring, maxRequestBytes: RING_BYTES, isWholeLog: true });
    const log = await SpanLog.open(withBuffer(parts, buffer));
    await buffer.attach(log);
    return new RingedLog(log, buffer);
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
    assertEqual(this.buffer, stats);
    return stats;
  }
}

function withBuffer(parts: LogParts, buffer: DurableBuffer): LogParts {
  const { watcher } = parts;
  return {
    ...parts,
    memory: buffer.memory,
    watcher: {
      ...watcher,
      evicted: (segment) => {
        watcher.evicted(segment);
        buffer.evict(segment);
      },
      damaged: (damage) => {
        watcher.damaged(damage);
        buffer.damaged(damage);
      },
    },
  };
}

function assertEqual(buffer: DurableBuffer, log: LogStats): void {
  const { spans, bytes, spilled } = buffer.stats();
  for (const entry of ["taken", "delivered", "undeliverable", "buffered"] as const) {
    assert(spans[entry] === log.spans[entry], `${entry}: ${spans[entry]}, not ${log.spans[entry]}`);
    assert(bytes[entry] === log.bytes[entry], `bytes of ${entry} spans`);
  }
  assert(spilled !== undefined && spilled.spans <= spans.buffered, "spilled spans are buffered");
  const byService = buffer.services().reduce((sum, each) => sum + each.spans.buffered, 0);
  assert(byService === spans.buffered, `${byService} buffered by service, not ${spans.buffered}`);
}
