import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../../src/application/log/durable-buffer.ts";
import type { LogWatcher } from "../../../src/application/log/log-state.ts";
import type { SpanLog } from "../../../src/application/log/span-log.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import type { Lease } from "../../../src/ports/trace-buffer.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { LogBench, requestFor } from "./opened-log.ts";

export interface RingSetting {
  readonly spans?: number;
  readonly bytes?: number;
  readonly overflowPolicy?: "drop_oldest" | "refuse";
}

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** A durable buffer on a log, filled as a receiver fills it. */
export class DurableBench {
  readonly log: SpanLog;
  readonly ring: ObservabilityBuffer;
  readonly buffer: DurableBuffer;

  private constructor(log: SpanLog, ring: ObservabilityBuffer, buffer: DurableBuffer) {
    this.log = log;
    this.ring = ring;
    this.buffer = buffer;
  }

  static async open(disk = new LogBench(), setting: RingSetting = {}): Promise<DurableBench> {
    const { spans = 100, bytes = 1 << 20, overflowPolicy = "drop_oldest" } = setting;
    const capacity = { spans, bytes };
    const codec = new ProtobufSpanCodec();
    const ring = ObservabilityBuffer.create(capacity, { codec, overflowPolicy });
    const buffer = new DurableBuffer({
      ring,
      maxRequestBytes: bytes,
      isWholeLog: disk.parts.settings.durability !== "stop",
    });
    const watcher: LogWatcher = {
      ...disk.parts.watcher,
      evicted: (segment) => buffer.evict(segment),
      damaged: (damage) => buffer.damaged(damage),
    };
    Object.assign(disk.parts, { watcher, memory: buffer.memory });
    const log = await disk.open();
    await buffer.attach(log);
    return new DurableBench(log, ring, buffer);
  }

  async send(first: number, spanCount: number): Promise<string> {
    const request = requestFor(first, spanCount);
    const stored = (): void => this.append(request.bytes);
    return (await this.buffer.log({ ...request, stored })).outcome;
  }

  /** Appends a request to the ring, as if it had reached the disk just now. */
  append(request: Uint8Array): void {
    walkRequest(walked, request);
    this.buffer.append(walked);
  }

  /** Leases the oldest spans, which must exist, from the disk or from the ring. */
  async lease(spans: number, bytes = Number.POSITIVE_INFINITY): Promise<Lease> {
    const lease = await this.buffer.lease({ spans, bytes });
    if (lease === undefined) throw new Error("no span is free");
    return lease;
  }

  /** Returns the numbers of the spans in memory. */
  buffered(): number[] {
    return numbersIn(this.buffer.peek(1_000).request);
  }

  /** Returns the numbers of all spans in the log, leased or free. */
  async stored(): Promise<number[]> {
    const stored: number[] = [];
    await this.log.read(0, ({ bytes, firstSequence }, ranges) => {
      const all = numbersIn(bytes);
      for (const { first, end } of ranges) {
        stored.push(...all.slice(first - firstSequence, end - firstSequence));
      }
      return true;
    });
    return stored;
  }
}
