import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import type { AppendOutcome, LogRequest } from "../../../src/application/log/log-state.ts";
import { CountedReceiver } from "../../../src/application/receiving/counted-receiver.ts";
import { ReceiveDurably } from "../../../src/application/receiving/receive-durably.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { spanNumbers } from "../../support/oracles/walked-spans.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  span,
} from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

interface Waiting {
  readonly request: LogRequest;
  readonly resolve: (outcome: AppendOutcome) => void;
}

/** Returns a receiver whose log answers when the test says so. */
function receiver(roomAfterMs?: (spanCount: number) => number) {
  const codec = new ProtobufSpanCodec();
  const buffer = ObservabilityBuffer.create({ spans: 100, bytes: 1 << 16 }, { codec });
  const waiting: Waiting[] = [];
  const log = (logged: LogRequest): Promise<AppendOutcome> => {
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    waiting.push({ request: logged, resolve });
    return promise;
  };
  const clock = new HandMovedClock();
  const logger = new RecordingLogger();
  const limits = { spansPerRequest: 50, nestingDepth: 100 };
  const settings = { limits, clock, logger, roomAfterMs, unixMs: () => 1_234 };
  const receive = new ReceiveDurably({ buffer, log, ...settings });
  const counted = new CountedReceiver({ receiver: receive, clock, evicted: () => {} });
  return { buffer, waiting, receive, counted, clock, logger };
}

/** Lets the log report that a request is safe. */
function finish({ request: logged, resolve }: Waiting, firstSequence: number): void {
  logged.stored?.(firstSequence);
  resolve({ outcome: "logged", firstSequence });
}

const bad = bytesField(2, bytesField(5, "bad"));
const mixed = request(bytesField(1, bytesField(2, span(1), bad, span(2))));

test("a request is in the buffer and accepted only once the log has it", async () => {
  const { receive, buffer, waiting } = receiver();

  const answer = receive.receive(requestOf(3));
  const before = buffer.size();
  finish(waiting[0]!, 1);

  expect(answer).toBeInstanceOf(Promise);
  expect(before).toBe(0);
  expect(await answer).toMatchObject({ outcome: "accepted", amounts: { acceptedSpans: 3 } });
  expect(buffer.size()).toBe(3);
});

test("the log gets the request, its amounts and the time of arrival", () => {
  const { receive, waiting } = receiver();
  const bytes = requestOf(3);

  void receive.receive(bytes);

  const { request: logged } = waiting[0]!;
  expect(logged.bytes.toHex()).toBe(bytes.toHex());
  expect(logged).toMatchObject({ spanCount: 3, unixMs: 1_234 });
  expect(logged.spanBytes).toBeGreaterThan(0);
});

test("the listener may reuse its memory while the request waits", async () => {
  const { receive, buffer, waiting } = receiver();
  const bytes = Buffer.from(requestOf(2));

  const answer = receive.receive(bytes);
  bytes.fill(0xff);
  finish(waiting[0]!, 1);
  await answer;

  expect(spanNumbers(buffer.peek(9).request)).toEqual([1, 2]);
});

test.each([0, 900])("requests with texts of %d bytes that wait together are stored", (length) => {
  const { receive, buffer, waiting } = receiver();
  const text = bytesField(9, attribute("text", "x".repeat(length)));
  for (const first of [1, 3, 5]) {
    receive.receive(request(resourceSpans("shop", span(first, text), span(first + 1, text))));
  }

  for (const [index, logged] of waiting.entries()) finish(logged, 1 + 2 * index);

  expect(spanNumbers(buffer.peek(6).request)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("requests that wait together keep their own amounts", async () => {
  const { receive, waiting } = receiver();

  const answers = [requestOf(2), mixed, requestOf(5, 10)].map((each) => receive.receive(each));
  for (const [at, each] of waiting.entries()) finish(each, at);

  expect(await Promise.all(answers)).toMatchObject([
    { outcome: "accepted", amounts: { acceptedSpans: 2, rejectedSpans: 0 } },
    { outcome: "partly_rejected", amounts: { acceptedSpans: 2, rejectedSpans: 1 } },
    { outcome: "accepted", amounts: { acceptedSpans: 5, rejectedSpans: 0 } },
  ]);
});

test("only valid spans are logged", async () => {
  const { receive, buffer, waiting } = receiver();

  const answer = receive.receive(mixed);
  expect(waiting[0]!.request.spanCount).toBe(2);
  finish(waiting[0]!, 1);

  expect(await answer).toMatchObject({ outcome: "partly_rejected", rejectedSpans: 1 });
  expect(buffer.stats().spans).toMatchObject({ received: 3, rejected: 1, accepted: 2 });
});

test.each([
  { name: "a malformed request", bytes: Uint8Array.of(0xff), outcome: "malformed" },
  { name: "too many spans", bytes: requestOf(51), outcome: "too_large" },
  { name: "an empty request", bytes: new Uint8Array(0), outcome: "accepted" },
  {
    name: "a request without a valid span",
    bytes: request(bytesField(1, bytesField(2, bad))),
    outcome: "partly_rejected",
  },
])("$name is answered without the log", ({ bytes, outcome }) => {
  const { receive, waiting } = receiver();

  expect(receive.receive(bytes)).toMatchObject({ outcome });
  expect(waiting).toEqual([]);
});

test.each<{ logged: AppendOutcome; receipt: object }>([
  {
    logged: { outcome: "refused", message: "full; retry later" },
    receipt: { outcome: "refused", message: "full; retry later", retryAfterMs: 700 },
  },
  {
    logged: { outcome: "too_large" },
    receipt: {
      outcome: "too_large",
      message: "the request is larger than the whole buffer; send smaller batches",
    },
  },
  {
    logged: { outcome: "failed", message: "no disk", retryAfterMs: 250 },
    receipt: { outcome: "failed", message: "no disk", retryAfterMs: 250 },
  },
])("the sender gets what the log decides: $logged.outcome", async ({ logged, receipt }) => {
  const { counted, buffer, waiting } = receiver((spanCount) => spanCount * 350);

  const answer = counted.receive(requestOf(2));
  waiting[0]!.resolve(logged);

  expect(await answer).toEqual(receipt as never);
  expect(buffer.stats().spans.received).toBe(0);
  expect(counted.requests[logged.outcome as "failed"]).toBe(1);
});

test("a counted receiver counts a request once it is stored, with the time it took", async () => {
  const { counted, clock, waiting } = receiver();

  const answer = counted.receive(requestOf(4));
  const before = counted.requests.accepted;
  clock.moveMs(20);
  finish(waiting[0]!, 1);
  await answer;

  expect([before, counted.requests.accepted]).toEqual([0, 1]);
  expect(counted.total.acceptedSpans).toBe(4);
  expect(counted.receiveSeconds.sum).toBeCloseTo(0.02);
  expect(counted.appendSeconds.sum).toBeCloseTo(0.02);
});

test("a field for profiles is logged once", () => {
  const { receive, logger } = receiver();
  const ofProfiles = span(1, bytesField(9, varintField(3, 1)));
  const profiles = request(bytesField(1, bytesField(2, ofProfiles)));

  void receive.receive(profiles);
  void receive.receive(profiles);

  expect(logger.lines.map(({ event }) => event)).toEqual(["profiles_only_field_seen"]);
});

test("a stopped receiver refuses new requests, and finishes those that wait", async () => {
  const { receive, buffer, waiting } = receiver();
  const answer = receive.receive(requestOf(2));

  receive.stop();
  const refused = receive.receive(requestOf(1));
  finish(waiting[0]!, 1);

  expect(refused).toMatchObject({ outcome: "stopping" });
  expect(await answer).toMatchObject({ outcome: "accepted" });
  expect(buffer.size()).toBe(2);
});
