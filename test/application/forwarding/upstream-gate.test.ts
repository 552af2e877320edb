import { describe, expect, test } from "bun:test";
import {
  LONGEST_ASKED_PAUSE_MS,
  type Pass,
  UpstreamGate,
} from "../../../src/application/forwarding/upstream-gate.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { NEVER, nextTurn } from "../../support/running/searched-ring.ts";

const SETTINGS = { initialMs: 100, maxMs: 1_000, random: () => 0.999_999 };

const passOf = (period: number, isProbe = false): Pass => ({ period, isProbe });

function openGate(settings: Partial<typeof SETTINGS> = {}) {
  const clock = new HandMovedSleep();
  return { clock, gate: new UpstreamGate({ ...SETTINGS, ...settings, clock }) };
}

/** Fails this many times in a row, each time but the first as a trial; returns the pauses. */
async function pausesOf(times: number, askedMs?: number, settings?: Partial<typeof SETTINGS>) {
  const { clock, gate } = openGate(settings);
  for (let time = 0; time < times; time += 1)
    gate.failed((await gate.pass(NEVER))!, { afterMs: askedMs });
  await gate.pass(NEVER);
  return clock.sleptMs.map(Math.round);
}

test("every caller may send while no send fails", async () => {
  const { clock, gate } = openGate();

  const passes = [await gate.pass(NEVER), await gate.pass(NEVER)];
  for (const pass of passes) gate.succeeded(pass!);

  expect(passes).toEqual([passOf(0), passOf(0)]);
  expect([gate.isOpen, gate.pauseLeftMs, clock.sleptMs.length]).toEqual([true, 0, 0]);
});

describe("pauses", () => {
  test("double from the initial to the maximum pause", async () => {
    expect(await pausesOf(6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test("are random up to that bound", async () => {
    expect(await pausesOf(3, 0, { random: () => 0.5 })).toEqual([50, 100, 200]);
  });

  test("are at least as long as the upstream requests", async () => {
    expect(await pausesOf(3, 300)).toEqual([300, 300, 400]);
  });

  test.each([
    { name: "a very long one", askedMs: 1e12, pauseMs: LONGEST_ASKED_PAUSE_MS },
    { name: "a negative one", askedMs: -5, pauseMs: 100 },
  ])("have bounds, whichever pause is requested: $name", async ({ askedMs, pauseMs }) => {
    expect(await pausesOf(1, askedMs)).toEqual([pauseMs]);
  });

  test("start again at the initial pause after a success", async () => {
    const { clock, gate } = openGate();
    gate.failed((await gate.pass(NEVER))!);
    gate.failed((await gate.pass(NEVER))!);
    gate.succeeded((await gate.pass(NEVER))!);

    gate.failed((await gate.pass(NEVER))!);
    await gate.pass(NEVER);

    expect(clock.sleptMs.map(Math.round)).toEqual([100, 200, 100]);
  });
});

test("outcomes of sends that began before a failure do not count after it", async () => {
  const { gate } = openGate();
  const passes = [await gate.pass(NEVER), await gate.pass(NEVER), await gate.pass(NEVER)];

  gate.failed(passes[0]!);
  const leftMs = gate.pauseLeftMs;
  gate.failed(passes[1]!);
  gate.succeeded(passes[2]!);

  expect([gate.isOpen, gate.pauseLeftMs]).toEqual([false, leftMs]);
});

/** Returns a gate with one batch on trial and another that waits for its outcome. */
async function onTrial() {
  const { gate } = openGate();
  gate.failed((await gate.pass(NEVER))!);
  const trial = (await gate.pass(NEVER))!;
  let passed = false;
  const other = gate.pass(NEVER).then((pass) => ((passed = true), pass));
  await nextTurn();
  return { gate, trial, other, hasPassed: () => passed };
}

describe("while one batch is on trial, others wait", () => {
  test("and follow when it succeeds", async () => {
    const { gate, trial, other, hasPassed } = await onTrial();
    const before = hasPassed();

    gate.succeeded(trial);

    expect([before, await other, gate.isOpen]).toEqual([false, trial, true]);
  });

  test("and the next is on trial after a pause when it fails", async () => {
    const { gate, trial, other } = await onTrial();

    gate.failed(trial);

    expect([await other, gate.isOpen]).toEqual([passOf(2), false]);
  });

  test("and the next is on trial at once when it is given up", async () => {
    const { gate, trial, other } = await onTrial();

    gate.gaveUp(trial);

    expect([await other, gate.isOpen]).toEqual([trial, false]);
  });

  test("and the late outcome of an outdated pass changes nothing", async () => {
    const { gate, trial, hasPassed } = await onTrial();

    gate.gaveUp({ ...trial, period: trial.period - 1 });
    await nextTurn();

    expect(hasPassed()).toBe(false);
  });
});

describe("after a refusal", () => {
  test("an empty request is sent first, until a send succeeds", async () => {
    const { gate } = openGate();
    gate.failed((await gate.pass(NEVER))!, { isRefusal: true });
    const refused = (await gate.pass(NEVER))!;
    gate.failed(refused);
    const unreachable = (await gate.pass(NEVER))!;
    gate.succeeded(unreachable);

    expect([refused, unreachable, await gate.pass(NEVER)]).toEqual([
      passOf(1, true),
      passOf(2, true),
      passOf(2),
    ]);
  });

  test("that comes too late to count, no empty request is sent", async () => {
    const { gate } = openGate();
    const passes = [await gate.pass(NEVER), await gate.pass(NEVER)];

    gate.failed(passes[0]!);
    gate.failed(passes[1]!, { isRefusal: true });

    expect(await gate.pass(NEVER)).toEqual(passOf(1));
  });
});

test("ending a pause allows one attempt, and its failure doubles the next pause", async () => {
  const { clock, gate } = openGate();
  gate.failed((await gate.pass(NEVER))!);

  gate.endPause();
  const leftMs = gate.pauseLeftMs;
  gate.failed((await gate.pass(NEVER))!);
  await gate.pass(NEVER);

  expect([leftMs, clock.sleptMs.map(Math.round)]).toEqual([0, [200]]);
});

test("a wait for a pass ends when it is cancelled", async () => {
  const { gate } = openGate();
  gate.failed((await gate.pass(NEVER))!);
  await gate.pass(NEVER);
  const canceller = new AbortController();
  const waiting = gate.pass(canceller.signal);

  canceller.abort();

  expect([await waiting, await gate.pass(canceller.signal)]).toEqual([undefined, undefined]);
});

describe("in a hurry", () => {
  test("a pause ends at once, for one attempt", async () => {
    const clock = Object.assign(new HandMovedClock(), {
      sleep: (_: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    const gate = new UpstreamGate({ ...SETTINGS, clock });
    gate.failed((await gate.pass(NEVER))!);
    const waiting = gate.pass(NEVER);

    gate.hurry(5_000);

    expect([await waiting, gate.isOpen]).toEqual([passOf(1), false]);
  });

  test.each([
    { name: "longer than the remaining time, ends all attempts", withinMs: 150, passed: undefined },
    {
      name: "shorter than the remaining time, is followed by an attempt",
      withinMs: 250,
      passed: passOf(2),
    },
  ])("the next pause, if it is $name", async ({ withinMs, passed }) => {
    const { gate } = openGate();
    gate.failed((await gate.pass(NEVER))!);
    gate.hurry(withinMs);

    gate.failed((await gate.pass(NEVER))!);

    expect(await gate.pass(NEVER)).toEqual(passed);
  });

  test.each([
    { name: "twice in a row, ends all attempts", refused: [true, true], passed: undefined },
    { name: "once, is tried again", refused: [false, true], passed: passOf(2) },
    { name: "and then fails otherwise, is tried again", refused: [true, false], passed: passOf(2) },
  ])("an upstream that refuses all spans $name", async ({ refused, passed }) => {
    const { gate } = openGate();
    gate.failed((await gate.pass(NEVER))!, { areSpansRefused: refused[0]! });
    gate.hurry(60_000);

    gate.failed((await gate.pass(NEVER))!, { areSpansRefused: refused[1]! });

    expect(await gate.pass(NEVER)).toEqual(passed);
  });
});

test("unless in a hurry, an upstream that refuses all spans is tried repeatedly", async () => {
  const { gate } = openGate();
  const failure = { areSpansRefused: true };

  for (let time = 0; time < 3; time += 1) gate.failed((await gate.pass(NEVER))!, failure);

  expect(await gate.pass(NEVER)).toEqual(passOf(3));
});

test("batches wait for the outcome of the last attempt of a hurry", async () => {
  const { gate } = openGate();
  const failure = { areSpansRefused: true };
  for (let time = 0; time < 2; time += 1) gate.failed((await gate.pass(NEVER))!, failure);
  gate.hurry(60_000);
  const trial = await gate.pass(NEVER);
  const waiting = gate.pass(NEVER);

  gate.succeeded(trial!);

  expect(await waiting).toEqual(passOf(2));
});

test("a refusal of all spans counts as the first again after a success", async () => {
  const { gate } = openGate();
  gate.failed((await gate.pass(NEVER))!, { areSpansRefused: true });
  gate.succeeded((await gate.pass(NEVER))!);
  gate.hurry(60_000);

  gate.failed((await gate.pass(NEVER))!, { areSpansRefused: true });

  expect(await gate.pass(NEVER)).toEqual(passOf(2));
});

test("the end of a pause wakes all that wait for it", async () => {
  const clock = Object.assign(new HandMovedClock(), {
    sleep: (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
  });
  const gate = new UpstreamGate({ ...SETTINGS, clock });
  gate.failed((await gate.pass(NEVER))!);
  const waiting = [gate.pass(NEVER), gate.pass(NEVER)];

  gate.endPause();
  const first = await Promise.race(waiting);
  gate.succeeded(first!);

  expect(await Promise.all(waiting)).toEqual([passOf(1), passOf(1)]);
});

test("a pause ends with time, without any call", async () => {
  const clock = Object.assign(new HandMovedClock(), { sleep: async () => {} });
  const gate = new UpstreamGate({ ...SETTINGS, clock });
  gate.failed((await gate.pass(NEVER))!);

  const before = Math.round(gate.pauseLeftMs);
  clock.moveMs(40);
  const meanwhile = Math.round(gate.pauseLeftMs);
  clock.moveMs(400);

  expect([before, meanwhile, gate.pauseLeftMs]).toEqual([100, 60, 0]);
});
