import { expect, test } from "bun:test";
import { UPSTREAM_STATES } from "../../../src/application/forwarding/forward-status.ts";
import { DURABILITIES } from "../../../src/application/log/log-state.ts";
import { ledger } from "../../../src/adapters/api-messages/messages.ts";
import {
  countsText,
  type Disk,
  durabilityText,
  type Forward,
  forwardState,
  LEDGER_COUNTS,
  type ServiceLedger,
  sumOf,
} from "../../../src/page/model/stats.ts";

test("the counts are those of the API, in its order", () => {
  expect([...LEDGER_COUNTS]).toEqual(Object.keys(ledger().shape) as never);
});

test("each state of the upstream has words of its own", () => {
  const texts = UPSTREAM_STATES.map((state) => forwardState({ state } as Forward).text);

  expect(new Set(texts).size).toBe(UPSTREAM_STATES.length);
});

test.each([
  [0, "The upstream fails; trying now"],
  [1, "The upstream fails; next attempt in 1 s"],
  [4200, "The upstream fails; next attempt in 5 s"],
])("%d ms before the next attempt, the state is %s", (retryMs, text) => {
  const forward = { state: "backing_off", retry_in_ms: retryMs } as Forward;

  expect(forwardState(forward)).toEqual({ text, tone: "bad" });
});

test("each durability has words of its own", () => {
  const texts = DURABILITIES.map((durability) => durabilityText({ durability } as Disk));

  expect(new Set(texts).size).toBe(DURABILITIES.length);
});

test("counts of 0 are left out", () => {
  expect(countsText({ delivered: 1200, partly_rejected: 3, retry: 0 })).toEqual([
    "1\u202F200 delivered",
    "3 partly rejected",
  ]);
});

test("a count is summed over the services, in one unit", () => {
  const services = [
    { spans: { taken: 2, evicted: 5 }, bytes: { taken: 300 } },
    { spans: { taken: 3, evicted: 1 }, bytes: { taken: 400 } },
  ] as ServiceLedger[];

  expect(sumOf(services, "spans", "taken")).toBe(5);
  expect(sumOf(services, "bytes", "taken")).toBe(700);
  expect(sumOf([], "spans", "taken")).toBe(0);
});
