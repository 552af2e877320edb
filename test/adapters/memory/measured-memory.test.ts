import { expect, test } from "bun:test";
import { MeasuredMemory } from "../../../src/adapters/memory/measured-memory.ts";

const MIB = 2 ** 20;

/** Creates a process that takes 40 MiB at the start, and may grow by 200. */
function createMemory() {
  const process = { residentMib: 40, nowMs: 0, measurements: 0 };
  const memory = new MeasuredMemory({
    growthBytes: 200 * MIB,
    clock: { monotonicMs: () => process.nowMs },
    residentBytes: () => {
      process.measurements += 1;
      return process.residentMib * MIB;
    },
  });
  return { process, memory };
}

test.each([
  { residentMib: 40, roomMib: 176, excessMib: 0 },
  { residentMib: 168, roomMib: 48, excessMib: 0 },
  { residentMib: 200, roomMib: 16, excessMib: 32 },
  { residentMib: 250, roomMib: -34, excessMib: 82 },
])("a process of $residentMib MiB has $roomMib MiB of room", (reading) => {
  const { process, memory } = createMemory();

  process.residentMib = reading.residentMib;

  expect(memory.roomBytes()).toBe(reading.roomMib * MIB);
  expect(memory.excessBytes()).toBe(reading.excessMib * MIB);
});

test("the process is measured again after 20 ms", () => {
  const { process, memory } = createMemory();
  memory.roomBytes();
  process.residentMib = 140;

  const rooms = [19, 20].map((nowMs) => {
    process.nowMs = nowMs;
    return memory.roomBytes() / MIB;
  });

  expect(rooms).toEqual([176, 76]);
  expect(process.measurements).toBe(3);
});

test("the resident memory of this process is measured by default", () => {
  const memory = new MeasuredMemory({ growthBytes: 2 ** 40, clock: { monotonicMs: () => 0 } });

  expect(memory.roomBytes()).toBeGreaterThan(2 ** 39);
  expect(memory.roomBytes()).toBeLessThan(2 ** 41);
});
