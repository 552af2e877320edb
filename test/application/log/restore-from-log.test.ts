import { describe, expect, test } from "bun:test";
import type { Lease } from "../../../src/ports/trace-buffer.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench, type RingSetting } from "../../support/disk/durable-bench.ts";
import { LogBench, numbers, requestFor, turn } from "../../support/disk/opened-log.ts";
import { SeededRandom } from "../../support/disk/seeded-random.ts";

const NEWEST_BYTES = requestFor(11, 2).bytes.length;

describe("a restart", () => {
  test("restores spans with their sequences, bytes and order", async () => {
    const disk = new LogBench();
    const first = await DurableBench.open(disk);
    await first.send(1, 5);
    await first.send(6, 5);
    const lease = await first.lease(6);
    first.buffer.settle(lease, "delivered", { first: 2, end: 4 });
    first.buffer.settle(lease, "returned", { first: 0, end: 2 });
    const before = first.buffer.peek(100);
    await first.log.close();

    const second = await DurableBench.open(disk);
    const after = second.buffer.peek(100);
    await second.send(11, 1);

    expect(after.sequences).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
    expect(after.sequences).toEqual(before.sequences);
    expect(numbersIn(after.request)).toEqual(numbersIn(before.request));
    expect(second.buffer.peek(100).sequences.at(-1)).toBe(11);
    expect(second.buffer.stats().spans).toMatchObject({ received: 9, buffered: 9 });
    expect(second.buffer.oldestUnixMs()).toBe(42);
  });

  test("continues with the sequences, even if no span is left", async () => {
    const disk = new LogBench();
    const first = await DurableBench.open(disk);
    await first.send(1, 5);
    first.buffer.clear();
    await first.log.close();

    const second = await DurableBench.open(disk);

    expect(second.buffer.range()).toEqual({ first: 6, next: 6 });
  });

  test.each<{ name: string; smaller: RingSetting; inMemory: number[] }>([
    { name: "spans", smaller: { spans: 4 }, inMemory: numbers(9, 4) },
    { name: "bytes", smaller: { bytes: NEWEST_BYTES }, inMemory: numbers(11, 2) },
    { name: "bytes, for any request", smaller: { bytes: 10 }, inMemory: [] },
  ])("with a smaller ring restores every span: $name", async ({ smaller, inMemory }) => {
    const disk = new LogBench();
    const first = await DurableBench.open(disk);
    await first.send(1, 10);
    await first.send(11, 2);
    const before = first.buffer.stats();
    await first.log.close();

    const second = await DurableBench.open(disk, smaller);
    const { spans, bytes, spilled } = second.buffer.stats();
    const taken = [];
    while (second.buffer.stats().spans.buffered > 0) taken.push(await second.buffer.take(100));

    expect(spans).toEqual(before.spans);
    expect(bytes).toEqual(before.bytes);
    expect(spilled?.spans).toBe(12 - inMemory.length);
    expect(taken.flatMap(({ request }) => numbersIn(request))).toEqual(numbers(1, 12));
    expect(second.buffer.stats().spans).toMatchObject({ buffered: 0, taken: 12 });
    expect(await second.stored()).toEqual([]);
  });
});

/** Performs one random operation as readers, senders and the forwarder do. */
async function act(
  bench: DurableBench,
  random: SeededRandom,
  state: { next: number; leases: Lease[] },
) {
  const choice = random.fraction();
  const { buffer } = bench;
  if (choice < 0.5) {
    const spanCount = random.between(1, 6);
    await bench.send(state.next, spanCount);
    state.next += spanCount;
  } else if (choice < 0.65) await buffer.take(random.between(0, 5));
  else if (choice < 0.67) buffer.clear();
  else if (choice < 0.85) {
    const lease = await buffer.lease({ spans: random.between(1, 8), bytes: 1_000 });
    state.leases.push(...(lease === undefined ? [] : [lease]));
  } else settleOne(bench, random, state.leases);
}

function settleOne({ buffer }: DurableBench, random: SeededRandom, leases: Lease[]): void {
  const [lease] = leases.splice(random.between(0, leases.length - 1), 1);
  if (lease === undefined) return;
  const middle = random.between(0, lease.sequences.length);
  const end = lease.sequences.length;
  buffer.settle(lease, random.pick(["delivered", "returned"]), { first: 0, end: middle });
  buffer.settle(lease, random.pick(["undeliverable", "returned"]), { first: middle, end });
}

function assertConsistent({ buffer, log }: DurableBench): void {
  const { spans, bytes, spilled } = buffer.stats();
  const { spans: logged, bytes: loggedBytes } = log.stats();
  expect({ ...spans }).toEqual({ ...logged });
  expect({ ...bytes }).toEqual({ ...loggedBytes });
  expect(spilled!.spans).toBeLessThanOrEqual(spans.buffered);
  const services = buffer.services().map((service) => service.spans.buffered);
  expect(services.reduce((sum, each) => sum + each, 0)).toBe(spans.buffered);
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "ring and log agree after any operations and restarts, in spans and bytes, seed %d",
  async (seed) => {
    const random = new SeededRandom(seed);
    const disk = new LogBench({ maxDiskBytes: 120_000, segmentBytes: 6_000 });
    const state: { next: number; leases: Lease[] } = { next: 1, leases: [] };
    let bench = await DurableBench.open(disk, { spans: 20 });
    for (let step = 0; step < 400; step += 1) {
      await act(bench, random, state);
      assertConsistent(bench);
      if (step % 50 !== 49) continue;
      for (const lease of state.leases.splice(0)) bench.buffer.settle(lease, "returned");
      await turn();
      assertConsistent(bench);
      const before = await bench.stored();
      await bench.log.close();
      bench = await DurableBench.open(disk, { spans: random.between(5, 30) });
      expect(await bench.stored()).toEqual(before);
      expect(before.slice(-bench.buffered().length || before.length)).toEqual(bench.buffered());
      assertConsistent(bench);
    }
    const all = await bench.stored();
    expect(numbersIn((await bench.buffer.take(10_000)).request)).toEqual(all);
  },
);
