import { expect, test } from "bun:test";
import {
  bodyFormat,
  contentCoding,
  BodyDrain,
  readBody,
  SMALL_CHUNKS,
} from "../../../src/adapters/otlp-http/request-body.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import {
  type RequestInFlight,
  RequestTable,
} from "../../../src/adapters/otlp-http/request-table.ts";
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
])("the type %p means the format %p", (contentType, format) => {
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
])("the encoding %p means the coding %p", (contentEncoding, coding) => {
  expect(contentCoding(contentEncoding)).toBe(coding as "gzip");
});

const MIB = 1024 * 1024;

/** Returns a request and a count of the pieces read from its body. */
function requestOf(
  pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  headers: Readonly<Record<string, string>> = {},
) {
  const reads = { pieces: 0, isCancelled: false };
  const counting = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    reads.pieces += 1;
    pull(controller);
  };
  const cancel = () => void (reads.isCancelled = true);
  const body = new ReadableStream({ pull: counting, cancel }, { highWaterMark: 0 });
  return { request: new Request("http://a", { method: "POST", headers, body }), reads };
}

function pieceOf(lengthBytes: number) {
  return (controller: ReadableStreamDefaultController<Uint8Array>) =>
    controller.enqueue(new Uint8Array(lengthBytes));
}

const nothing = () => {};

const LIMITS = { connections: 5, connectionsPerAddress: 3, requestMs: 60_000 };

/** Reads the body of a request in flight. */
function read(request: Request) {
  const clock = { monotonicMs: () => 0 };
  const budget = new InFlightBudget({ capacityBytes: MIB, clock });
  const table = new RequestTable({ limits: LIMITS, budget, clock, refused: () => {} });
  const inFlight = table.begin({ address: "a", port: 1 }) as RequestInFlight;
  return readBody(request, inFlight, { budget, maxBytes: MIB });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

test("a body without a declared length is read from the next turn on", async () => {
  const { request, reads } = requestOf((controller) => {
    if (reads.pieces === 1) pieceOf(10)(controller);
    else controller.close();
  });
  // Runs before what is asked for later.
  const readInOwnTurn = nextTurn().then(() => reads.pieces);

  const reading = read(request);

  expect(await readInOwnTurn).toBe(0);
  expect(await reading).toMatchObject({ outcome: "read", bytes: new Uint8Array(10) });
});

test("small chunks are drained no further than a body of them is read", async () => {
  const { request, reads } = requestOf(pieceOf(1));

  const fault = await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(fault).toBe(SMALL_CHUNKS);
  expect(reads.pieces).toBeLessThan(500);
});

test("a body is drained to its end", async () => {
  let remaining = 3;
  const { request, reads } = requestOf((controller) => {
    if (remaining > 0) pieceOf(10)(controller);
    else controller.close();
    remaining -= 1;
  });

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(reads).toEqual({ pieces: 4, isCancelled: false });
});

test("a failing body ends its drain and releases its permit", async () => {
  const drain = new BodyDrain(PATIENT_CLOCK);
  const broken = () => requestOf((controller) => controller.error(new Error("gone"))).request;

  for (let time = 0; time < 70; time += 1) await drain.drain(broken());
  const { request, reads } = requestOf((controller) => controller.close());
  await drain.drain(request);

  expect(reads.pieces).toBe(1);
});

test("an endless body is drained for its time limit", async () => {
  const clock = new HandMovedSleep();
  const { request, reads } = requestOf(nothing);

  await new BodyDrain(clock).drain(request);

  expect(clock.sleptMs).toEqual([5_000]);
  expect(reads.isCancelled).toBe(true);
});

test("a long body is drained up to its size limit", async () => {
  const { request, reads } = requestOf(pieceOf(MIB));

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(reads.pieces).toBe(65);
});

test.each([
  { name: "whose sender expects 100 Continue", headers: { Expect: "100-Continue" } },
  {
    name: "whose declared length exceeds the limit",
    headers: { "Content-Length": String(64 * MIB + 1) },
  },
])("a body $name is not drained", async ({ headers }) => {
  const { request, reads } = requestOf(nothing, headers);

  await new BodyDrain(PATIENT_CLOCK).drain(request);

  expect(reads.pieces).toBe(0);
});

test("a request without a body is not waited for", async () => {
  await new BodyDrain(PATIENT_CLOCK).drain(new Request("http://a"));
});

test("a 65th concurrent body is not drained", async () => {
  const drain = new BodyDrain(PATIENT_CLOCK);
  const draining = Array.from({ length: 64 }, () => drain.drain(requestOf(nothing).request));
  const { request, reads } = requestOf(nothing);

  await drain.drain(request);
  drain.stop();
  await Promise.all(draining);
  const after = requestOf((controller) => controller.close());
  await drain.drain(after.request);

  expect([reads.pieces, after.reads.pieces]).toEqual([0, 1]);
});
