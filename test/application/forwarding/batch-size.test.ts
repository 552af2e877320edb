import { expect, test } from "bun:test";
import { BatchSize } from "../../../src/application/forwarding/batch-size.ts";

const MAX_BYTES = 1_024_000;

const batch = (spanBytes: number, spanCount = 10) => ({ spanCount, spanBytes });

const LATE = { message: "no answer in time", isTimeout: true };
const BUSY = { message: "503: busy" };

/** Sends batches of the maximum size through a proxy that does not name its limit as the reason. */
function sentThrough(limitBytes: number, size: BatchSize, times: number): string {
  let passes = "";
  for (let time = 0; time < times; time += 1) {
    const isPassed = size.bytes <= limitBytes;
    if (isPassed) size.passed(batch(size.bytes));
    else size.failed(batch(size.bytes), { message: `503: no. ${time}` });
    passes += isPassed ? "." : "x";
  }
  return passes;
}

/** Passes this many batches of the maximum size; returns the next maximum. */
function passed(size: BatchSize, times: number): number {
  for (let time = 0; time < times; time += 1) size.passed(batch(size.bytes));
  return size.bytes;
}

test("the size never exceeds the configured maximum, however many batches pass", () => {
  expect(passed(new BatchSize(MAX_BYTES), 1_000)).toBe(MAX_BYTES);
});

test("a batch that is too large halves the size, down to one byte", () => {
  const size = new BatchSize(1_000);

  const sizes = [900, 2_000, 100, 1, 0].map((bytes) => {
    size.tooLarge(batch(bytes));
    return size.bytes;
  });

  // A batch may exceed the requested size, because it always includes its first span.
  expect(sizes).toEqual([450, 450, 50, 1, 1]);
});

test("a refused batch whose parts were accepted reduces the size for two batches", () => {
  const size = new BatchSize(MAX_BYTES);

  const sizes = [0, 0, 0, 0].map(() => {
    size.seemsTooLarge(batch(MAX_BYTES));
    const half = size.bytes;
    let count = 0;
    for (; size.bytes < MAX_BYTES; count += 1) size.passed(batch(size.bytes));
    return [half, count];
  });
  size.seemsTooLarge(batch(1_000));

  expect(sizes).toEqual([0, 0, 0, 0].map(() => [MAX_BYTES / 2, 2]));
  expect(size.bytes).toBe(MAX_BYTES);
});

test("repeated refusals of this kind make attempts at a larger size less frequent", () => {
  const size = new BatchSize(MAX_BYTES);

  for (const bytes of [MAX_BYTES, MAX_BYTES / 2, MAX_BYTES / 4]) size.seemsTooLarge(batch(bytes));

  expect([passed(size, 7), passed(size, 1)]).toEqual([MAX_BYTES / 8, MAX_BYTES / 4]);
});

test("the size doubles after every 64 accepted batches, up to the configured maximum", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(batch(800));

  const sizes = [63, 1, 64, 64].map((times) => passed(size, times));

  expect(sizes).toEqual([400, 800, 1_000, 1_000]);
});

test("batches that passed before one was too large do not count towards growth", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(batch(800));
  passed(size, 63);

  size.tooLarge(batch(400));

  expect(passed(size, 63)).toBe(200);
});

test("one span that is too large by itself reduces the size only briefly", () => {
  const size = new BatchSize(1_000);

  for (const bytes of [800, 400, 200]) size.tooLarge(batch(bytes));
  size.tooLarge(batch(100, 1));
  const atLeast = size.bytes;
  for (const bytes of [100, 200, 400]) size.passed(batch(bytes));

  expect([atLeast, size.bytes]).toEqual([100, 400]);
});

test("a timeout halves the size, down to 64 KiB", () => {
  const size = new BatchSize(MAX_BYTES);

  const sizes = [MAX_BYTES, 512_000, 256_000, 128_000, 1_000].map((bytes) => {
    size.failed(batch(bytes), LATE);
    return size.bytes;
  });

  expect(sizes).toEqual([512_000, 256_000, 128_000, 65_536, 65_536]);
});

test("after a timeout, each accepted batch doubles the size, up to the known limit", () => {
  const size = new BatchSize(MAX_BYTES);
  size.tooLarge(batch(600_000));
  size.failed(batch(128_000), LATE);

  const sizes = [0, 1, 1, 1, 1].map((times) => passed(size, times));

  expect(sizes).toEqual([65_536, 131_072, 262_144, 300_000, 300_000]);
});

test("from the third similar failure in a row, the size is quartered each time", () => {
  const size = new BatchSize(3_000_000);

  const sizes = Array.from({ length: 6 }, () => {
    size.failed(batch(size.bytes), BUSY);
    return size.bytes;
  });

  expect(sizes).toEqual([3_000_000, 3_000_000, 750_000, 187_500, 46_875, 11_718]);
});

test("similar failures leave a size of 1 KiB, which recovers in a dozen steps", () => {
  const size = new BatchSize(3_000_000);
  for (let time = 0; time < 50; time += 1) size.failed(batch(size.bytes), BUSY);
  const least = size.bytes;

  expect([least, passed(size, 12)]).toEqual([1_024, 3_000_000]);
});

test.each([
  { name: "two failures", failures: [BUSY, BUSY] },
  { name: "failures of several kinds", failures: [BUSY, { message: "429: busy" }, BUSY, BUSY] },
])("$name do not change the size", ({ failures }) => {
  const size = new BatchSize(MAX_BYTES);

  for (const failure of failures) size.failed(batch(MAX_BYTES), failure);

  expect(size.bytes).toBe(MAX_BYTES);
});

test("failures are not in a row if a batch of the same size passed between them", () => {
  const size = new BatchSize(MAX_BYTES);

  for (let time = 0; time < 5; time += 1) {
    size.failed(batch(MAX_BYTES), BUSY);
    size.failed(batch(MAX_BYTES), BUSY);
    size.passed(batch(MAX_BYTES));
  }

  expect(size.bytes).toBe(MAX_BYTES);
});

test("a smaller batch that passes does not interrupt a row of similar failures", () => {
  const size = new BatchSize(MAX_BYTES);

  for (let time = 0; time < 2; time += 1) {
    size.failed(batch(MAX_BYTES), BUSY);
    size.passed(batch(100));
  }
  size.failed(batch(MAX_BYTES), BUSY);

  expect(size.bytes).toBe(MAX_BYTES / 4);
});

test("an unknown limit is found, and then exceeded less and less often", () => {
  const size = new BatchSize(3_000_000);

  const first = sentThrough(100_000, size, 5);
  const growth = sentThrough(100_000, size, 200);

  expect(first).toBe("xxxxx");
  expect(growth).toStartWith(".");
  expect(growth.replaceAll(".", "").length).toBeLessThan(12);
});

test("the size returns to the maximum after the limit is removed", () => {
  const size = new BatchSize(3_000_000);
  sentThrough(100_000, size, 300);

  sentThrough(Number.POSITIVE_INFINITY, size, 64 * 6);

  expect(size.bytes).toBe(3_000_000);
});

test("a batch far below the size neither confirms it nor makes the next failure a limit", () => {
  const size = new BatchSize(3_000_000);
  for (let time = 0; time < 3; time += 1) size.failed(batch(3_000_000), BUSY);
  size.passed(batch(400));

  size.failed(batch(size.bytes), { message: "refused" });

  expect(passed(size, 1)).toBe(3_000_000);
});
