import { expect, test } from "bun:test";
import { BatchSize } from "../../../src/application/forwarding/batch-size.ts";

function passed(size: BatchSize, times: number): number {
  for (let time = 0; time < times; time += 1) size.passed();
  return size.bytes;
}

test("batches are as large as configured, however many pass", () => {
  expect(passed(new BatchSize(1_000), 1_000)).toBe(1_000);
});

test("after one that was too large they are half of it, down to a byte", () => {
  const size = new BatchSize(1_000);

  const sizes = [900, 2_000, 100, 1, 0].map((bytes) => {
    size.tooLarge(bytes);
    return size.bytes;
  });

  // A batch may be longer than asked for: its first span is always in it.
  expect(sizes).toEqual([450, 450, 50, 1, 1]);
});

test("it is tried again whether more passes, up to what is configured", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(800);

  const sizes = [63, 1, 64, 64].map((times) => passed(size, times));

  expect(sizes).toEqual([400, 800, 1_000, 1_000]);
});

test("what has passed before one was too large does not count after it", () => {
  const size = new BatchSize(1_000);
  size.tooLarge(800);
  passed(size, 63);

  size.tooLarge(400);

  expect(passed(size, 63)).toBe(200);
});
