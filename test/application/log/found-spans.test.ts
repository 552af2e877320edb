import { describe, expect, test } from "bun:test";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench } from "../../support/disk/durable-bench.ts";
import { LogBench, numbers } from "../../support/disk/opened-log.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";

const walked = createWalkedRequest({ spansPerRequest: 100, nestingDepth: 100 });

/** Sends spans of two services in each request, which arrived at this time. */
async function sendTwoServices(bench: DurableBench, first: number, unixMs: number): Promise<void> {
  const [shop, bank] = [first, first + 2];
  const bytes = request(
    resourceSpans("shop", span(shop), span(shop + 1)),
    resourceSpans("bank", span(bank)),
  );
  walkRequest(walked, bytes);
  const { spanCount, spanBytes } = walked;
  const stored = (): void => bench.append(bytes);
  await bench.buffer.log({ bytes, spanCount, spanBytes, unixMs, stored });
}

/** Returns the names of the segments that were read, once for each read. */
function readsOf({ disk }: LogBench, from: number): string[] {
  const reads = disk.begun.slice(from).filter((operation) => operation.startsWith("read "));
  return reads.map((operation) => operation.slice("read ".length));
}

describe("a start", () => {
  test("reads each segment once, and the newest again if memory has room for them", async () => {
    const disk = new LogBench({ segmentBytes: 2_000 });
    const first = await DurableBench.open(disk);
    for (const at of numbers(0, 40)) await first.send(at * 4 + 1, 4);
    await first.log.close();
    const names = disk.disk.fileNames();
    const begun = disk.disk.begun.length;

    const second = await DurableBench.open(disk, { spans: 4 });

    const reads = readsOf(disk, begun);
    const again = names.filter((name) => reads.filter((each) => each === name).length > 1);
    expect(new Set(reads)).toEqual(new Set(names));
    expect(names.length).toBeGreaterThan(5);
    expect(again).toEqual(names.slice(-1));
    expect(second.buffered()).toEqual(numbers(157, 4));
    expect(second.buffer.stats().spilled?.spans).toBe(156);
    expect(numbersIn((await second.buffer.take(1_000)).request)).toEqual(numbers(1, 160));
  });

  test("counts the spans of each service, without those that have departed", async () => {
    const disk = new LogBench({ segmentBytes: 400 });
    const first = await DurableBench.open(disk);
    for (const at of numbers(0, 10)) await sendTwoServices(first, at * 3 + 1, 1_000 + at);
    const lease = await first.lease(4);
    first.buffer.settle(lease, "delivered", { first: 1, end: 3 });
    first.buffer.settle(lease, "returned", { first: 0, end: 1 });
    first.buffer.settle(lease, "returned", { first: 3, end: 4 });
    await first.log.close();

    const second = await DurableBench.open(disk, { spans: 3 });

    const { spans, bytes, spilled } = second.buffer.stats();
    const services = second.buffer.services();
    const buffered = services.map((each) => [each.service, each.spans.buffered]);
    expect(Object.fromEntries(buffered)).toEqual({ shop: 19, bank: 9 });
    expect(spans).toMatchObject({ received: 28, accepted: 28, buffered: 28 });
    expect(bytes).toEqual(second.log.stats().bytes);
    expect(spilled?.spans).toBe(25);
    await second.buffer.take(1_000);
    expect(second.buffer.stats().spans).toMatchObject({ taken: 28, buffered: 0 });
  });

  test("knows when a service was last seen, although it counts newest spans first", async () => {
    const disk = new LogBench({ segmentBytes: 400 });
    const first = await DurableBench.open(disk);
    for (const at of numbers(0, 6)) await sendTwoServices(first, at * 3 + 1, 1_000 + at);
    for (const at of numbers(0, 3)) await first.send(100 + at * 4, 4);
    await first.log.close();

    const second = await DurableBench.open(disk, { spans: 4 });

    const shop = second.buffer.services().find(({ service }) => service === "shop");
    expect(shop?.lastSeenUnixMs).toBe(1_005);
  });

  test("does not count a segment that it removes to make room for a new one", async () => {
    const sizes = { segmentBytes: 4_000, maxDiskBytes: 40_000 };
    const disk = new LogBench(sizes);
    const first = await DurableBench.open(disk);
    for (const at of numbers(0, 60)) await first.send(at * 4 + 1, 4);
    await first.log.close();
    const before = first.log.stats();

    const smaller = new LogBench({ ...sizes, maxDiskBytes: 20_000 }, disk.disk);
    const second = await DurableBench.open(smaller, { spans: 4 });

    const { spans, bytes } = second.buffer.stats();
    expect(spans.buffered).toBeLessThan(before.spans.buffered);
    expect(spans.buffered).toBe(second.log.stats().spans.buffered);
    expect(bytes.buffered).toBe(second.log.stats().bytes.buffered);
    expect(await second.stored()).toHaveLength(spans.buffered);
  });

  test("reads again what fills memory in bytes, although it has slots for more", async () => {
    const disk = new LogBench({ segmentBytes: 2_000 });
    const first = await DurableBench.open(disk);
    for (const at of numbers(0, 40)) await first.send(at * 4 + 1, 4);
    await first.log.close();

    const second = await DurableBench.open(disk, { spans: 1_000, bytes: 3_000 });
    const inMemory = second.buffered();

    expect(inMemory.length).toBeGreaterThan(4);
    expect(inMemory).toEqual(numbers(161 - inMemory.length, inMemory.length));
    expect(second.buffer.stats().spans.buffered).toBe(160);
  });
});
