import { expect, test } from "bun:test";
import { DeliveryRate } from "../../../src/application/forwarding/delivery-rate.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** What was noted in each second since the beginning, and the rate at the end of them. */
function rateAfter(...spans: number[]): number {
  const clock = new HandMovedClock();
  const rate = new DeliveryRate(clock);
  for (const count of spans) {
    rate.note(count);
    clock.moveMs(1_000);
  }
  return rate.spansPerSecond;
}

const seconds = (count: number, spans: number): number[] =>
  Array.from({ length: count }, () => spans);

test.each([
  { name: "nothing", spans: [], rate: 0 },
  { name: "one second", spans: [50], rate: 50 },
  { name: "two seconds", spans: [50, 100], rate: 75 },
  { name: "ten seconds, of which the first is over", spans: seconds(10, 10), rate: 9 },
  { name: "only the last of many", spans: [...seconds(10, 999), ...seconds(10, 10)], rate: 9 },
])("the rate is of the last ten seconds: $name", ({ spans, rate }) => {
  expect(rateAfter(...spans)).toBe(rate);
});

test("it is zero when nothing has come for long", () => {
  const clock = new HandMovedClock();
  const rate = new DeliveryRate(clock);
  rate.note(1_000);

  clock.moveMs(3_600_000);

  expect(rate.spansPerSecond).toBe(0);
});

test("within the first second it is what was noted", () => {
  const rate = new DeliveryRate(new HandMovedClock());

  rate.note(3);
  rate.note(4);

  expect(rate.spansPerSecond).toBe(7);
});
