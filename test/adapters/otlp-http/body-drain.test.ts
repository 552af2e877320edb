import { expect, test } from "bun:test";
import { BodyDrain } from "../../../src/adapters/otlp-http/body-drain.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";

const MIB = 1024 * 1024;

/** A request, and how many bytes of its body have been taken. */
function requestOf(
  pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  headers: Readonly<Record<string, string>> = {},
) {
  const taken = { pieces: 0, isCancelled: false };
  const counting = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    taken.pieces += 1;
    pull(controller);
  };
  const cancel = () => void (taken.isCancelled = true);
  const body = new ReadableStream({ pull: counting, cancel }, { highWaterMark: 0 });
  return { request: new Request("http://a", { method: "POST", headers, body }), taken };
}

function pieceOf(lengthBytes: number) {
  return (controller: ReadableStreamDefaultController<Uint8Array>) =>
    controller.enqueue(new Uint8Array(lengthBytes));
}

const nothing = () => {};

test("a body is read to its end", async () => {
  let pieces = 3;
  const { request, taken } = requestOf((controller) => {
    if (pieces > 0) pieceOf(10)(controller);
    else controller.close();
    pieces -= 1;
  });

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(taken).toEqual({ pieces: 4, isCancelled: false });
});

test("a body that breaks off is at its end, and makes room for another", async () => {
  const drain = new BodyDrain(PATIENT_CLOCK);
  const broken = () => requestOf((controller) => controller.error(new Error("gone"))).request;

  for (let time = 0; time < 70; time += 1) await drain.drain(broken());
  const { request, taken } = requestOf((controller) => controller.close());
  await drain.drain(request);

  expect(taken.pieces).toBe(1);
});

test("one without an end is read for no longer than its time", async () => {
  const clock = new HandMovedSleep();
  const { request, taken } = requestOf(nothing);

  await new BodyDrain(clock).drain(request);

  expect(clock.sleptMs).toEqual([5_000]);
  expect(taken.isCancelled).toBe(true);
});

test("one that is too long is read for no longer than its limit", async () => {
  const { request, taken } = requestOf(pieceOf(MIB));

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(taken.pieces).toBe(65);
});

test.each([
  { name: "of a sender that waits to be asked for it", headers: { Expect: "100-Continue" } },
  { name: "that says it is too long", headers: { "Content-Length": String(64 * MIB + 1) } },
])("nothing is read of a body $name", async ({ headers }) => {
  const { request, taken } = requestOf(nothing, headers);

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(taken.pieces).toBe(0);
});

test("without a body there is no wait", async () => {
  await new BodyDrain(PATIENT_CLOCK).drain(new Request("http://a"));
});

test("a 65th body at the same time is not read", async () => {
  const drain = new BodyDrain(PATIENT_CLOCK);
  const draining = Array.from({ length: 64 }, () => drain.drain(requestOf(nothing).request));
  const { request, taken } = requestOf(nothing);

  await drain.drain(request);
  drain.stop();
  await Promise.all(draining);
  const after = requestOf((controller) => controller.close());
  await drain.drain(after.request);

  expect([taken.pieces, after.taken.pieces]).toEqual([0, 1]);
});
