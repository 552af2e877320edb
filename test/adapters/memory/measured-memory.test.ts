import { describe, expect, spyOn, test } from "bun:test";
import { PROCESS_PACE } from "../../../src/adapters/memory/collection-pace.ts";
import { MeasuredMemory } from "../../../src/adapters/memory/measured-memory.ts";

const MIB = 2 ** 20;

/** Creates a process of 40 MiB that may grow by 260, of which budgets may charge 64. */
function createMemory() {
  const state = { residentMib: 40, nowMs: 0, measurements: 0, isReadable: true };
  const returns = { count: 0, takesMs: 0 };
  const memory = new MeasuredMemory({
    growthBytes: 260 * MIB,
    budgetBytes: 64 * MIB,
    clock: { monotonicMs: () => state.nowMs },
    pace: {
      returnFreeMemory: () => {
        returns.count += 1;
        state.nowMs += returns.takesMs;
      },
    },
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
  return { state, returns, memory, measure };
}

describe("the excess of the process", () => {
  test.each([
    { residentMib: 40, chargedMib: 0, excessMib: 0 },
    { residentMib: 192, chargedMib: 0, excessMib: 0 },
    { residentMib: 202, chargedMib: 0, excessMib: 10 },
    { residentMib: 256, chargedMib: 64, excessMib: 0 },
    { residentMib: 256, chargedMib: 24, excessMib: 40 },
  ])("is $excessMib MiB at $residentMib, of which $chargedMib are charged", (reading) => {
    const { measure } = createMemory();

    expect(measure(reading.residentMib, reading.chargedMib)).toBe(reading.excessMib);
  });

  test("is that of the smallest of five measurements: freed memory stays for a moment", () => {
    const { measure } = createMemory();

    const excess = [198, 250, 250, 250, 250, 250, 208].map((residentMib) => measure(residentMib));

    expect(excess).toEqual([6, 6, 6, 6, 6, 58, 16]);
  });

  test.each([
    { residentMib: 258, excessMib: [66, 66] },
    { residentMib: 259, excessMib: [75, 83] },
  ])("grows by 8 MiB while less than 42 are left: $residentMib of 300", (reading) => {
    const { measure } = createMemory();

    const excess = [1, 2].map(() => Math.round(measure(reading.residentMib)));

    expect(excess).toEqual([...reading.excessMib]);
  });

  test("grows by 56 MiB at most, and shrinks by 4 a second", () => {
    const { state, measure } = createMemory();

    const inDanger = Array.from({ length: 15 }, () => measure(259)).at(-1)!;
    const after = [220, 220, 220, 220, 220].map((residentMib) => measure(residentMib)).at(-1)!;
    state.nowMs += 980;
    const later = measure(220);
    state.nowMs += 3_600_000;

    expect([inDanger, Math.round(after - later), measure(220)]).toEqual([123, 4, 28]);
  });

  test("is measured again after 20 ms", () => {
    const { state, memory, measure } = createMemory();
    measure(198);

    state.residentMib = 192;
    const after = [19, 1].map((elapsedMs) => {
      state.nowMs += elapsedMs;
      return memory.excessBytes(0) / MIB;
    });

    expect(after).toEqual([6, 0]);
    expect(state.measurements).toBe(3);
  });
});

describe("free memory", () => {
  test.each([
    { residentMib: 244, count: 0 },
    { residentMib: 245, count: 1 },
  ])("is returned with less than 56 MiB left: $residentMib of 300", ({ residentMib, count }) => {
    const { returns, measure } = createMemory();

    measure(residentMib);

    expect(returns.count).toBe(count);
  });

  test.each([
    { takesMs: 0, pauseMs: 80 },
    { takesMs: 30, pauseMs: 90 },
    { takesMs: 120, pauseMs: 360 },
  ])("is returned again $pauseMs ms after a return that took $takesMs", ({ takesMs, pauseMs }) => {
    const counts = [pauseMs - 1, pauseMs].map((elapsedMs) => {
      const { state, returns, measure } = createMemory();
      returns.takesMs = takesMs;
      measure(245);
      state.nowMs += elapsedMs - 20;
      measure(245);
      return returns.count;
    });

    expect(counts).toEqual([1, 2]);
  });

  test("is returned by a collection of this process by default", () => {
    const collect = spyOn(PROCESS_PACE, "returnFreeMemory").mockImplementation(() => {});
    const clock = { monotonicMs: () => 0 };

    new MeasuredMemory({ growthBytes: 1, budgetBytes: 0, clock, read: () => 1 }).excessBytes(0);
    const returnCount = collect.mock.calls.length;
    collect.mockRestore();

    expect(returnCount).toBe(1);
  });
});

test.each([
  { residentMib: 40, roomMib: 216 },
  { residentMib: 250, roomMib: 6 },
  { residentMib: 300, roomMib: -44 },
])("a process of $residentMib MiB has room for $roomMib at once", ({ residentMib, roomMib }) => {
  const { state, memory } = createMemory();

  state.residentMib = residentMib;

  expect(memory.roomBytes()).toBe(roomMib * MIB);
});

test("there is less room after danger, and the same again later, without a measurement", () => {
  const { state, memory, measure } = createMemory();
  for (let count = 0; count < 20; count += 1) measure(259);

  state.residentMib = 100;
  const after = memory.roomBytes() / MIB;
  state.nowMs += 3_600_000;

  expect([after, memory.roomBytes() / MIB]).toEqual([100, 156]);
});

test("nothing is done about a measurement from before the memory could not be read", () => {
  const { state, returns, measure } = createMemory();
  measure(259);
  state.isReadable = false;

  const excess = Array.from({ length: 10 }, () => measure(259));

  expect(Math.max(...excess)).toBeLessThan(75);
  expect(returns.count).toBe(1);
});

test("the last measurement counts while the memory cannot be read", () => {
  const { state, memory, measure } = createMemory();
  measure(202);

  state.isReadable = false;

  expect([measure(300), memory.roomBytes() / MIB]).toEqual([10, 54]);
});

test("the resident memory of this process is measured by default", () => {
  const clock = { monotonicMs: () => 0 };
  const memory = new MeasuredMemory({ growthBytes: 2 ** 40, budgetBytes: 0, clock });

  expect(memory.roomBytes()).toBeGreaterThan(2 ** 39);
  expect(memory.roomBytes()).toBeLessThan(2 ** 41);
});
