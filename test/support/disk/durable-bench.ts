import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../../src/application/log/durable-buffer.ts";
import { restoreFromLog } from "../../../src/application/log/restore-from-log.ts";
import type { SpanLog } from "../../../src/application/log/span-log.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { LogBench, requestFor, storedNumbers } from "./opened-log.ts";

export interface RingSetting {
  readonly spans?: number;
  readonly bytes?: number;
  readonly overflowPolicy?: "drop_oldest" | "refuse";
}

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** A durable buffer on a log, filled as a receiver fills it. */
export class DurableBench {
  readonly log: SpanLog;
  readonly buffer: DurableBuffer;

  private constructor(log: SpanLog, buffer: DurableBuffer) {
    this.log = log;
    this.buffer = buffer;
  }

  static async open(disk = new LogBench(), setting: RingSetting = {}): Promise<DurableBench> {
    const { spans = 100, bytes = 1 << 20, overflowPolicy = "drop_oldest" } = setting;
    const capacity = { spans, bytes };
    const codec = new ProtobufSpanCodec();
    const ring = ObservabilityBuffer.create(capacity, { codec, overflowPolicy });
    const buffer = new DurableBuffer({ ring, capacity, overflowPolicy });
    const watcher = {
      ...disk.parts.watcher,
      evicted: ({ end }: { end: number }) => buffer.evictBefore(end),
    };
    Object.assign(disk.parts, { watcher });
    const log = await disk.open();
    const { unfit } = await restoreFromLog(log, ring);
    buffer.attach(log, unfit);
    return new DurableBench(log, buffer);
  }

  async send(first: number, spanCount: number): Promise<string> {
    const request = requestFor(first, spanCount);
    const stored = (): void => {
      walkRequest(walked, request.bytes);
      this.buffer.append(walked);
    };
    return (await this.buffer.log({ ...request, stored })).outcome;
  }

  buffered(): number[] {
    return numbersIn(this.buffer.peek(1_000).request);
  }

  stored(): Promise<number[]> {
    return storedNumbers(this.log);
  }
}
