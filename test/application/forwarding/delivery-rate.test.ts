import { expect, test } from "bun:test";
import { DeliveryRate } from "../../../src/application/forwarding/delivery-rate.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** Notes a number of spans in each second; returns the rate at the end. */
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
  { name: "no span", spans: [], rate: 0 },
  { name: "one second", spans: [50], rate: 50 },
  { name: "two seconds", spans: [50, 100], rate: 75 },
  { name: "ten seconds, of which the first is too old", spans: seconds(10, 10), rate: 9 },
  {
    name: "twenty, of which ten are too old",
    spans: [...seconds(10, 999), ...seconds(10, 10)],
    rate: 9,
  },
])("the rate is the average of the last ten seconds: $name", ({ spans, rate }) => {
  expect(rateAfter(...spans)).toBe(rate);
});

test("the rate is zero when nothing has been delivered for an hour", () => {
  const clock = new HandMovedClock();
  const rate = new DeliveryRate(clock);
  rate.note(1_000);

  clock.moveMs(3_600_000);

  expect(rate.spansPerSecond).toBe(0);
});

test("within the first second, the rate is the number of delivered spans", () => {
  const rate = new DeliveryRate(new HandMovedClock());

  rate.note(3);
  rate.note(4);

  expect(rate.spansPerSecond).toBe(7);
});
