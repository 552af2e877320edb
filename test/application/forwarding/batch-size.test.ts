import { expect, test } from "bun:test";
import { BatchSize } from "../../../src/application/forwarding/batch-size.ts";

const MOST = 1_024_000;

const batch = (spanBytes: number, spanCount = 10) => ({ spanCount, spanBytes });

const LATE = { message: "no answer in time", isTimeout: true };
const BUSY = { message: "503: busy" };

/** Sends batches as large as may be through a proxy with a limit that it calls by another name. */
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

/** So many batches as large as may be. */
function passed(size: BatchSize, times: number): number {
  for (let time = 0; time < times; time += 1) size.passed(batch(size.bytes));
  return size.bytes;
}

test("batches are as large as configured, however many pass", () => {
  expect(passed(new BatchSize(MOST), 1_000)).toBe(MOST);
});

test("after one that was too large they are half of it, down to a byte", () => {
  const size = new BatchSize(1_000);

  const sizes = [900, 2_000, 100, 1, 0].map((bytes) => {
    size.tooLarge(batch(bytes));
    return size.bytes;
  });

  // A batch may be longer than asked for: its first span is always in it.
  expect(sizes).toEqual([450, 450, 50, 1, 1]);
});

test("after one that was refused, and whose parts were taken, it is soon tried again", () => {
  const size = new BatchSize(MOST);

  const sizes = [0, 0, 0, 0].map(() => {
    size.seemsTooLarge(batch(MOST));
    const half = size.bytes;
    let count = 0;
    for (; size.bytes < MOST; count += 1) size.passed(batch(size.bytes));
    return [half, count];
  });
  size.seemsTooLarge(batch(1_000));

  expect(sizes).toEqual([0, 0, 0, 0].map(() => [MOST / 2, 2]));
  expect(size.bytes).toBe(MOST);
});

test("when that goes on, it is tried ever less often", () => {
  const size = new BatchSize(MOST);

  for (const bytes of [MOST, MOST / 2, MOST / 4]) size.seemsTooLarge(batch(bytes));

  expect([passed(size, 7), passed(size, 1)]).toEqual([MOST / 8, MOST / 4]);
});

test("it is tried again whether more passes than was too large, up to what is configured", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(batch(800));

  const sizes = [63, 1, 64, 64].map((times) => passed(size, times));

  expect(sizes).toEqual([400, 800, 1_000, 1_000]);
});

test("what has passed before one was too large does not count after it", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(batch(800));
  passed(size, 63);

  size.tooLarge(batch(400));

  expect(passed(size, 63)).toBe(200);
});

test("one span that is too large by itself makes no batch smaller for long", () => {
  const size = new BatchSize(1_000);

  for (const bytes of [800, 400, 200]) size.tooLarge(batch(bytes));
  size.tooLarge(batch(100, 1));
  const atLeast = size.bytes;
  for (const bytes of [100, 200, 400]) size.passed(batch(bytes));

  expect([atLeast, size.bytes]).toEqual([100, 400]);
});

test("after one that was late they are half of it, and not less than what is soon sent", () => {
  const size = new BatchSize(MOST);

  const sizes = [MOST, 512_000, 256_000, 128_000, 1_000].map((bytes) => {
    size.failed(batch(bytes), LATE);
    return size.bytes;
  });

  expect(sizes).toEqual([512_000, 256_000, 128_000, 65_536, 65_536]);
});

test("each that arrives is followed by one twice as large, up to what is too large", () => {
  const size = new BatchSize(MOST);
  size.tooLarge(batch(600_000));
  size.failed(batch(128_000), LATE);

  const sizes = [0, 1, 1, 1, 1].map((times) => passed(size, times));

  expect(sizes).toEqual([65_536, 131_072, 262_144, 300_000, 300_000]);
});

test("the same failure three times in a row makes batches much smaller, until they pass", () => {
  const size = new BatchSize(3_000_000);

  const sizes = Array.from({ length: 6 }, () => {
    size.failed(batch(size.bytes), BUSY);
    return size.bytes;
  });

  expect(sizes).toEqual([3_000_000, 3_000_000, 750_000, 187_500, 46_875, 11_718]);
});

test("they become no smaller than a few spans, and as large as before in a dozen steps", () => {
  const size = new BatchSize(3_000_000);
  for (let time = 0; time < 50; time += 1) size.failed(batch(size.bytes), BUSY);
  const least = size.bytes;

  expect([least, passed(size, 12)]).toEqual([1_024, 3_000_000]);
});

test.each([
  { name: "two failures", failures: [BUSY, BUSY] },
  { name: "failures of several kinds", failures: [BUSY, { message: "429: busy" }, BUSY, BUSY] },
])("$name say nothing of the size", ({ failures }) => {
  const size = new BatchSize(MOST);

  for (const failure of failures) size.failed(batch(MOST), failure);

  expect(size.bytes).toBe(MOST);
});

test("failures with one between that passed, and was as large, are not in a row", () => {
  const size = new BatchSize(MOST);

  for (let time = 0; time < 5; time += 1) {
    size.failed(batch(MOST), BUSY);
    size.failed(batch(MOST), BUSY);
    size.passed(batch(MOST));
  }

  expect(size.bytes).toBe(MOST);
});

test("what is smaller passes for another reason: it does not come between", () => {
  const size = new BatchSize(MOST);

  for (let time = 0; time < 2; time += 1) {
    size.failed(batch(MOST), BUSY);
    size.passed(batch(100));
  }
  size.failed(batch(MOST), BUSY);

  expect(size.bytes).toBe(MOST / 4);
});

test("a limit is found, and is tried ever less often", () => {
  const size = new BatchSize(3_000_000);

  const first = sentThrough(100_000, size, 5);
  const growth = sentThrough(100_000, size, 200);

  expect(first).toBe("xxxxx");
  expect(growth).toStartWith(".");
  expect(growth.replaceAll(".", "").length).toBeLessThan(12);
});

test("a limit that is gone is forgotten", () => {
  const size = new BatchSize(3_000_000);
  sentThrough(100_000, size, 300);

  sentThrough(Number.POSITIVE_INFINITY, size, 64 * 6);

  expect(size.bytes).toBe(3_000_000);
});

test("a batch that was far from full proves nothing, and a failure after it limits nothing", () => {
  const size = new BatchSize(3_000_000);
  for (let time = 0; time < 3; time += 1) size.failed(batch(3_000_000), BUSY);
  size.passed(batch(400));

  size.failed(batch(size.bytes), { message: "refused" });

  expect(passed(size, 1)).toBe(3_000_000);
});
