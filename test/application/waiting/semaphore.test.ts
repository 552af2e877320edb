import { expect, test } from "bun:test";
import { AssertionError } from "../../../src/domain/assert.ts";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";

test("a released permit can be taken again, up to the limit", () => {
  const permits = new Semaphore(2);

  const release = permits.take();
  expect(permits.take()).toBeDefined();
  expect(permits.take()).toBeUndefined();
  release?.();
  expect(permits.take()).toBeDefined();
  expect(permits.take()).toBeUndefined();
});

test("taken permits are counted", () => {
  const permits = new Semaphore(3);

  const release = permits.take();
  permits.take();
  const before = permits.takenCount;
  release?.();

  expect([before, permits.takenCount]).toEqual([2, 1]);
});

test("releasing a permit that was not taken fails", () => {
  const release = new Semaphore(1).take();
  release?.();

  expect(() => release?.()).toThrow(AssertionError);
});
