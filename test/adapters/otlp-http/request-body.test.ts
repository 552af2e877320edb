import { expect, test } from "bun:test";
import {
  bodyFormat,
  contentCoding,
  GrowingBytes,
  BodyDrain,
} from "../../../src/adapters/otlp-http/request-body.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";

test.each([
  ["application/x-protobuf", "protobuf"],
  ["application/json", "json"],
  ["application/json; charset=utf-8", "json"],
  ["Application/X-Protobuf", "protobuf"],
  [" application/json ;q=1", "json"],
  ["application/protobuf", undefined],
  ["application/jsonx", undefined],
  ["text/plain", undefined],
  ["application/json, application/x-protobuf", undefined],
  ["", undefined],
  [null, undefined],
])("a body of type %p is %p", (contentType, format) => {
  expect(bodyFormat(contentType)).toBe(format as "json");
});

test.each([
  [null, "identity"],
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  [" zstd ", "zstd"],
  ["deflate", "deflate"],
  ["Deflate", "deflate"],
  ["br", undefined],
  ["gzip, deflate", undefined],
  ["gzip, gzip", undefined],
  ["gzip, zstd", undefined],
  ["identity, br", undefined],
])("a body encoded as %p is %p", (contentEncoding, coding) => {
  expect(contentCoding(contentEncoding)).toBe(coding as "gzip");
});

const pieces = [3, 0, 1, 20_000, 5, 70_000, 1].map((length, at) =>
  new Uint8Array(length).fill(at + 1),
);

test("the pieces come out in order, as one", () => {
  const gathered = new GrowingBytes();

  for (const piece of pieces) gathered.append(piece);

  expect(gathered.length).toBe(90_010);
  expect(Buffer.from(gathered.bytes)).toEqual(Buffer.concat(pieces));
});

test("no piece is aliased", () => {
  const gathered = new GrowingBytes();
  const piece = Uint8Array.of(1, 2, 3);

  gathered.append(piece);
  piece.fill(9);

  expect([...gathered.bytes]).toEqual([1, 2, 3]);
});

test("the growth that it reports is all its memory, and never much more than needed", () => {
  const gathered = new GrowingBytes();
  let capacity = 0;

  for (let byte = 0; byte < 100_000; byte += 1) {
    capacity += gathered.append(Uint8Array.of(byte));
    if (byte % 1000 === 0) expect(capacity).toBeLessThan(1.25 * gathered.length + 16_400);
  }

  expect(capacity).toBe(gathered.bytes.buffer.byteLength);
  expect(gathered.bytes.at(-1)).toBe(99_999 & 0xff);
});

test("memory that is released is gone, and it begins anew", () => {
  const gathered = new GrowingBytes();
  gathered.append(new Uint8Array(50_000));
  const view = gathered.bytes;

  gathered.release();
  gathered.append(Uint8Array.of(7));

  expect(view).toHaveLength(0);
  expect([...gathered.bytes]).toEqual([7]);
});

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
  let remaining = 3;
  const { request, taken } = requestOf((controller) => {
    if (remaining > 0) pieceOf(10)(controller);
    else controller.close();
    remaining -= 1;
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
