import { expect, test } from "bun:test";
import { BatchSize } from "../../../src/application/forwarding/batch-size.ts";

const MOST = 1_024_000;

const batch = (spanBytes: number, spanCount = 10) => ({ spanCount, spanBytes });

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
    size.late(batch(bytes));
    return size.bytes;
  });

  expect(sizes).toEqual([512_000, 256_000, 128_000, 65_536, 65_536]);
});

test("each that arrives is followed by one twice as large, up to what is too large", () => {
  const size = new BatchSize(MOST);
  size.tooLarge(batch(600_000));
  size.late(batch(128_000));

  const sizes = [0, 1, 1, 1, 1].map((times) => passed(size, times));

  expect(sizes).toEqual([65_536, 131_072, 262_144, 300_000, 300_000]);
});
