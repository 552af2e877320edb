import { describe, expect, test } from "bun:test";
import { MeasuredMemory } from "../../../src/adapters/memory/measured-memory.ts";

const MIB = 2 ** 20;

/** Creates a process of 40 MiB that may grow by 260, of which budgets may charge 64. */
function createMemory() {
  const state = { residentMib: 40, nowMs: 0, measurements: 0, isReadable: true, returned: 0 };
  const memory = new MeasuredMemory({
    growthBytes: 260 * MIB,
    budgetBytes: 64 * MIB,
    clock: { monotonicMs: () => state.nowMs },
    pace: { returnFreeMemory: () => (state.returned += 1) },
    read: () => {
      state.measurements += 1;
      return state.isReadable ? state.residentMib * MIB : undefined;
    },
  });
  /** Returns the excess in MiB, measured anew. */
  const measure = (residentMib: number, chargedMib = 0): number => {
    state.nowMs += 20;
    state.residentMib = residentMib;
    return memory.excessBytes(chargedMib * MIB) / MIB;
  };
  return { state, memory, measure };
}

describe("the excess of the process", () => {
  test.each([
    { residentMib: 40, chargedMib: 0, excessMib: 0 },
    { residentMib: 204, chargedMib: 0, excessMib: 0 },
    { residentMib: 214, chargedMib: 0, excessMib: 10 },
    { residentMib: 258, chargedMib: 64, excessMib: 0 },
    { residentMib: 258, chargedMib: 24, excessMib: 30 },
  ])("is $excessMib MiB at $residentMib, of which $chargedMib are charged", (reading) => {
    const { measure } = createMemory();

    expect(measure(reading.residentMib, reading.chargedMib)).toBe(reading.excessMib);
  });

  test("is that of the smallest of five measurements: freed memory stays for a moment", () => {
    const { measure } = createMemory();

    const excess = [210, 250, 250, 250, 250, 250, 220].map((residentMib) => measure(residentMib));

    expect(excess).toEqual([6, 6, 6, 6, 6, 46, 16]);
  });

  test("grows while less than 42 MiB are left, up to 68 more, and shrinks by 4 a second", () => {
    const { state, measure } = createMemory();

    const inDanger = Array.from({ length: 15 }, () => measure(265));
    const after = [220, 220, 220, 220, 220].map((residentMib) => measure(residentMib)).at(-1)!;
    state.nowMs += 1_000;
    const later = measure(220);

    expect(inDanger.slice(0, 3).map(Math.round)).toEqual([69, 77, 85]);
    expect(Math.max(...inDanger)).toBe(129);
    expect([after - later, measure(220) <= later]).toEqual([expect.closeTo(4.08), true]);
  });

  test("is measured again after 20 ms", () => {
    const { state, memory, measure } = createMemory();
    measure(210);

    state.residentMib = 204;
    const after = [19, 1].map((elapsedMs) => {
      state.nowMs += elapsedMs;
      return memory.excessBytes(0) / MIB;
    });

    expect(after).toEqual([6, 0]);
    expect(state.measurements).toBe(3);
  });
});

test("free memory is returned when less than 56 MiB are left, ten times a second", () => {
  const { state, measure } = createMemory();

  const returned = [244, 245, 245, 245, 245, 245, 245, 200, 245].map((residentMib) => {
    measure(residentMib);
    return state.returned;
  });

  expect(returned).toEqual([0, 1, 1, 1, 1, 1, 2, 2, 2]);
});

test.each([
  { residentMib: 40, roomMib: 228 },
  { residentMib: 250, roomMib: 18 },
  { residentMib: 300, roomMib: -32 },
])("a process of $residentMib MiB has room for $roomMib at once", ({ residentMib, roomMib }) => {
  const { state, memory } = createMemory();

  state.residentMib = residentMib;

  expect(memory.roomBytes()).toBe(roomMib * MIB);
});

test("the last measurement counts while the memory cannot be read", () => {
  const { state, memory, measure } = createMemory();
  measure(214);

  state.isReadable = false;

  expect([measure(300), memory.roomBytes() / MIB]).toEqual([10, 54]);
});

test("the resident memory of this process is measured by default", () => {
  const clock = { monotonicMs: () => 0 };
  const memory = new MeasuredMemory({ growthBytes: 2 ** 40, budgetBytes: 0, clock });

  expect(memory.roomBytes()).toBeGreaterThan(2 ** 39);
  expect(memory.roomBytes()).toBeLessThan(2 ** 41);
});
