import { describe, expect, test } from "bun:test";
import { fstatSync, openSync } from "node:fs";
import {
  canOpenFiles,
  DescriptorGuard,
  type PausableListener,
} from "../../../src/adapters/listening/descriptor-guard.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** The listener cannot hold connections back unless `canHold`. */
function guarding({ canHold = false } = {}) {
  const clock = new HandMovedClock();
  const state = { free: 10, isListening: true, isHeld: false, reliefs: 0, exhaustions: 0 };
  const fault: { next: Error | undefined } = { next: undefined };
  const listener: PausableListener = {
    canHold,
    relieve: () => void (state.reliefs += 1),
    hold: () => void (state.isHeld = true),
    pause: () => {
      state.isListening = false;
      state.isHeld = false;
    },
    resume: async () => {
      const error = fault.next;
      fault.next = undefined;
      if (error !== undefined) throw error;
      state.isListening = true;
      state.isHeld = false;
    },
  };
  const willing: PausableListener = {
    canHold: true,
    relieve: () => {},
    hold: () => {},
    pause: () => {},
    resume: async () => {},
  };
  const guard = new DescriptorGuard({
    listeners: [willing, listener],
    canOpen: (count) => state.free >= count,
    clock,
    exhausted: () => void (state.exhaustions += 1),
  });
  const after = async (ms: number) => {
    clock.moveMs(ms);
    await guard.tick();
    return state.isListening;
  };
  /** Uses all descriptors for two ticks; on the first exhaustion, idle connections are closed. */
  const exhaust = async () => {
    state.free = 0;
    await after(0);
    return await after(0);
  };
  return { state, fault, after, exhaust };
}

test("nothing is closed while descriptors are available", async () => {
  const { after, state } = guarding();

  expect([await after(0), await after(250)]).toEqual([true, true]);
  expect(state).toMatchObject({ reliefs: 0, exhaustions: 0 });
});

test("idle connections are closed first when descriptors run out", async () => {
  const { after, state } = guarding();

  state.free = 0;
  const isListening = await after(0);
  state.free = 10;

  expect([isListening, await after(250)]).toEqual([true, true]);
  expect(state).toMatchObject({ reliefs: 1, exhaustions: 1 });
});

test("listeners are paused if that is not enough, and resume after a second", async () => {
  const { after, state } = guarding();

  state.free = 0;
  const paused = [await after(0), await after(250), await after(250)];
  state.free = 10;
  const resumed = [await after(749), await after(1)];

  expect([...paused, ...resumed]).toEqual([true, false, false, false, true]);
  expect(state).toMatchObject({ reliefs: 1, exhaustions: 2 });
});

test("listeners stay paused until descriptors suffice to listen and accept", async () => {
  const { after, exhaust, state } = guarding();
  await exhaust();

  state.free = 3;
  const tooFew = await after(60_000);
  state.free = 4;
  const enough = await after(0);

  expect([tooFew, enough]).toEqual([false, true]);
});

test("pauses double up to 16 s while descriptors keep running out", async () => {
  const { after, exhaust, state } = guarding();
  const pausesMs: number[] = [];

  for (let pause = 0; pause < 6; pause += 1) {
    await exhaust();
    state.free = 10;
    let ms = 0;
    for (let isListening = false; !isListening; isListening = await after(250)) ms += 250;
    pausesMs.push(ms);
  }

  expect(pausesMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
  expect(state.reliefs).toBe(1);
});

test("after a minute without exhaustion, remedies start from the first again", async () => {
  const { after, exhaust, state } = guarding();
  await exhaust();
  state.free = 10;
  await after(1_000);

  await after(60_001);
  await exhaust();
  state.free = 10;

  expect(state.reliefs).toBe(2);
  expect([await after(999), await after(1)]).toEqual([false, true]);
});

test("a listener that fails to resume is resumed a second later", async () => {
  const { after, exhaust, state, fault } = guarding();
  await exhaust();

  state.free = 10;
  fault.next = new Error("the port is taken");
  const states = [await after(1_000), await after(999), await after(1)];

  expect(states).toEqual([false, false, true]);
});

test("a listener that has resumed is guarded while another one has not", async () => {
  const { after, exhaust, state, fault } = guarding();
  await exhaust();
  state.free = 10;
  fault.next = new Error("the port is taken");
  await after(1_000);

  state.isListening = true;
  state.free = 0;

  expect(await after(250)).toBe(false);
  expect(state.exhaustions).toBe(3);
});

describe("listeners that can hold connections back", () => {
  test("do so at once, keep idle connections, and end it after a second", async () => {
    const { after, state } = guarding({ canHold: true });

    state.free = 0;
    await after(0);
    const { isHeld } = state;
    state.free = 10;
    await after(999);
    const before = state.isHeld;
    await after(1);

    expect([isHeld, before, state.isHeld]).toEqual([true, true, false]);
    expect(state).toMatchObject({ isListening: true, reliefs: 0, exhaustions: 1 });
  });

  test("go on with it until descriptors suffice", async () => {
    const { after, state } = guarding({ canHold: true });

    state.free = 0;
    await after(0);
    state.free = 3;
    await after(14_999);
    const tooFew = state.isHeld;
    state.free = 4;
    await after(0);

    expect([tooFew, state.isHeld]).toEqual([true, false]);
  });

  test("pause after 15 s without descriptors, which closes idle connections", async () => {
    const { after, state } = guarding({ canHold: true });

    state.free = 0;
    await after(0);
    const states = [await after(14_999), await after(1)];
    state.free = 10;
    const resumed = await after(250);

    expect([...states, resumed]).toEqual([true, false, true]);
    expect(state).toMatchObject({ isHeld: false, reliefs: 0, exhaustions: 1 });
  });

  test("hold them back for up to 4 s each time while descriptors keep running out", async () => {
    const { after, state } = guarding({ canHold: true });
    const holdsMs: number[] = [];

    for (let hold = 0; hold < 5; hold += 1) {
      state.free = 0;
      await after(250);
      state.free = 10;
      let ms = 0;
      for (; state.isHeld; await after(250)) ms += 250;
      holdsMs.push(ms);
    }

    expect(holdsMs).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(state.isListening).toBe(true);
  });

  test("begin with a second again after a minute without exhaustion", async () => {
    const { after, state } = guarding({ canHold: true });
    state.free = 0;
    await after(0);
    state.free = 10;
    await after(1_000);

    await after(60_001);
    state.free = 0;
    await after(0);
    state.free = 10;
    await after(1_000);

    expect(state).toMatchObject({ isHeld: false, exhaustions: 2 });
  });
});

test("canOpenFiles closes the files that it opens", () => {
  const opened: number[] = [];
  const open = () => {
    opened.push(openSync("/dev/null", "r"));
    return opened.at(-1)!;
  };

  expect(canOpenFiles(3, open)).toBe(true);
  expect(opened).toHaveLength(3);
  for (const descriptor of opened) expect(() => fstatSync(descriptor)).toThrow("EBADF");
});

test.each([
  { code: "EMFILE", can: false },
  { code: "ENFILE", can: false },
  { code: "ENOENT", can: true },
])("canOpenFiles returns $can after $code", ({ code, can }) => {
  const open = () => {
    throw Object.assign(new Error(code), { code });
  };

  expect(canOpenFiles(1, open)).toBe(can);
});
