import { expect, test } from "bun:test";
import { UPSTREAM_STATES } from "../../../src/application/forwarding/forward-status.ts";
import { DISK_STATES, DURABILITIES } from "../../../src/application/log/log-state.ts";
import { ledger } from "../../../src/adapters/api-messages/messages.ts";
import {
  countsText,
  type Disk,
  diskState,
  durabilityText,
  type Forward,
  forwardState,
  inMemory,
  LEDGER_COUNTS,
  requestsText,
  retryText,
  type ServiceLedger,
  type Stats,
  sumOf,
} from "../../../src/page/model/stats.ts";

test("the counts are those of the API, in its order", () => {
  expect([...LEDGER_COUNTS]).toEqual(Object.keys(ledger().shape) as never);
});

test("each state of the upstream has words of its own", () => {
  const texts = UPSTREAM_STATES.map((state) => forwardState({ state } as Forward).text);

  expect(new Set(texts).size).toBe(UPSTREAM_STATES.length);
});

test("only a failing upstream is bad", () => {
  const tones = UPSTREAM_STATES.map((state) => forwardState({ state } as Forward).tone);

  expect(tones).toEqual(["idle", "good", "bad", "bad"]);
});

test.each([
  [undefined, undefined],
  [0, "now"],
  [1, "in 1 s"],
  [4200, "in 5 s"],
  [60_000, "in 1 min"],
])("with %p ms to wait, the next attempt is %p", (retryMs, text) => {
  const waiting = retryMs === undefined ? {} : { retry_in_ms: retryMs };

  expect(retryText({ state: "backing_off", ...waiting } as Forward)).toBe(text as never);
});

test("each state of the disk has words of its own, and only a writable disk is good", () => {
  const states = DISK_STATES.map((state) => diskState({ state } as Disk));

  expect(new Set(states.map(({ text }) => text)).size).toBe(DISK_STATES.length);
  expect(states.map(({ tone }) => tone)).toEqual(["good", "bad", "bad"]);
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

test("with a log, memory holds only a part of what is buffered", () => {
  const buffered = { spans: { buffered: 50 }, bytes: { buffered: 5000 } } as Stats;
  const disk = { in_memory: { spans: 20, bytes: 2000 } } as Disk;

  expect([inMemory(buffered, "spans"), inMemory(buffered, "bytes")]).toEqual([50, 5000]);
  expect(inMemory({ ...buffered, disk }, "spans")).toBe(20);
  expect(inMemory({ ...buffered, disk }, "bytes")).toBe(2000);
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

test("requests are counted by signal", () => {
  expect(requestsText({ traces: 12, metrics: 3, logs: 0 })).toBe("12 of traces, 3 of metrics");
  expect(requestsText({ traces: 0, metrics: 0, logs: 0 })).toBe("none");
});
