import { storeRing } from "../../../src/application/shutdown/store-ring.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { DurableBench, type RingSetting } from "./durable-bench.ts";
import { LogBench, requestFor } from "./opened-log.ts";

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** A buffer at level `stop`: requests go to memory only. */
export class StopBench {
  readonly disk: LogBench;
  readonly bench: DurableBench;

  private constructor(disk: LogBench, bench: DurableBench) {
    this.disk = disk;
    this.bench = bench;
  }

  static async open(
    disk = new LogBench({ durability: "stop" }),
    ring: RingSetting = {},
  ): Promise<StopBench> {
    disk.disk.isEager = true;
    return new StopBench(disk, await DurableBench.open(disk, ring));
  }

  receive(first: number, spanCount: number): void {
    walkRequest(walked, requestFor(first, spanCount).bytes);
    this.bench.buffer.append(walked);
  }

  store(batchBytes = 1 << 20): Promise<number> {
    const { log, ring: buffer } = this.bench;
    return storeRing({ log, buffer, batchBytes });
  }

  async next(): Promise<StopBench> {
    await this.bench.log.close();
    return await StopBench.open(this.disk);
  }

  sequences(): readonly number[] {
    return this.bench.buffer.peek(1_000).sequences;
  }
}
