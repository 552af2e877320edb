import { expect, test } from "bun:test";
import { LifeCycle, stopWithin } from "../../../src/application/shutdown/life-cycle.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

function startedWith(names: readonly string[], { costMs }: { costMs: number }) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const life = new LifeCycle(clock);
  const stopped: { name: string; graceMs: number }[] = [];
  for (const name of names) {
    life.started(async (graceMs) => {
      stopped.push({ name, graceMs });
      clock.nowMs += costMs;
    });
  }
  return { life, stopped };
}

test("the state is starting, then ready, then stopping", async () => {
  const { life } = startedWith([], { costMs: 0 });
  const states = [life.state];

  life.ready();
  states.push(life.state);
  await life.stop(0);
  states.push(life.state);

  expect(states).toEqual(["starting", "ready", "stopping"]);
});

test("parts stop in the reverse order of their start and share the grace time", async () => {
  const { life, stopped } = startedWith(["api", "grpc"], { costMs: 300 });

  await life.stop(1_000);

  expect(stopped).toEqual([
    { name: "grpc", graceMs: 1_000 },
    { name: "api", graceMs: 700 },
  ]);
});

test("when a part takes longer than the grace time, the next one has none", async () => {
  const { life, stopped } = startedWith(["api", "grpc"], { costMs: 300 });

  await life.stop(200);

  expect(stopped.map(({ graceMs }) => graceMs)).toEqual([200, 0]);
});

test("each part stops once, however often a stop is requested", async () => {
  const { life, stopped } = startedWith(["api"], { costMs: 0 });

  await life.stop(0);
  await life.stop(0);

  expect(stopped).toHaveLength(1);
});

test("a hurry notifies the part that is stopping and leaves later parts no time", async () => {
  const { life, stopped } = startedWith(["api", "grpc"], { costMs: 0 });
  const calls: number[] = [];
  const stuck = Promise.withResolvers<void>();
  life.started(async (graceMs) => {
    calls.push(graceMs);
    if (graceMs > 0) await stuck.promise;
  });

  const stopping = life.stop(60_000);
  life.hurry();
  await stopping;

  expect(calls).toEqual([60_000, 0]);
  expect(stopped).toEqual([
    { name: "grpc", graceMs: 0 },
    { name: "api", graceMs: 0 },
  ]);
});

test("a hurry before the stop leaves no part any time", async () => {
  const { life, stopped } = startedWith(["api"], { costMs: 0 });

  life.hurry();
  await life.stop(60_000);

  expect(stopped).toEqual([{ name: "api", graceMs: 0 }]);
});

test("a part that stops in time is not forced", async () => {
  const calls: string[] = [];

  await stopWithin(
    60_000,
    {
      gently: async () => void calls.push("gently"),
      byForce: async () => void calls.push("by force"),
    },
    PATIENT_CLOCK,
  );

  expect(calls).toEqual(["gently"]);
});

test("a part that stops in time leaves no timer", async () => {
  const clock = new HandMovedClock();

  await stopWithin(60_000, { gently: async () => {}, byForce: async () => {} }, clock);

  expect(clock.pendingActions).toBe(0);
});

test("a part that does not stop in time is forced", async () => {
  const calls: string[] = [];
  const clock = new HandMovedClock();
  const never = Promise.withResolvers<void>();

  const part = {
    gently: () => never.promise,
    byForce: async () => void calls.push("by force"),
  };
  const stopping = stopWithin(60_000, part, clock);
  clock.moveMs(59_999);
  await nextTurn();
  expect(calls).toEqual([]);
  clock.moveMs(1);
  await stopping;

  expect(calls).toEqual(["by force"]);
});

test("a part that fails to stop is reported and does not keep the others running", async () => {
  const { life, stopped } = startedWith(["api"], { costMs: 0 });
  const failure = new Error("cannot stop");
  life.started(() => Promise.reject(failure));

  const stopping = life.stop(0);

  await expect(stopping).rejects.toMatchObject({ errors: [failure] });
  expect(stopped).toHaveLength(1);
});

test("a part whose stop fails is forced", async () => {
  const calls: string[] = [];

  await stopWithin(
    60_000,
    {
      gently: () => Promise.reject(new Error("cannot stop")),
      byForce: async () => void calls.push("by force"),
    },
    PATIENT_CLOCK,
  );

  expect(calls).toEqual(["by force"]);
});
