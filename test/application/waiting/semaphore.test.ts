import { expect, test } from "bun:test";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";

test("a place that is given back is taken again, and there is none beyond the limit", () => {
  const places = new Semaphore(2);

  const giveBack = places.take();
  expect(places.take()).toBeDefined();
  expect(places.take()).toBeUndefined();
  giveBack?.();
  expect(places.take()).toBeDefined();
  expect(places.take()).toBeUndefined();
});

test("those that are taken and not given back are counted", () => {
  const places = new Semaphore(3);

  const giveBack = places.take();
  places.take();
  const before = places.takenCount;
  giveBack?.();

  expect([before, places.takenCount]).toEqual([2, 1]);
});
