import { expect, test } from "bun:test";
import type { Receipt } from "../../../src/domain/receipt.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import {
  ObservabilityBuffer,
  type OverflowPolicy,
} from "../../../src/application/ring/observability-buffer.ts";
import {
  ReceiveTraces,
  type ReceiveParts,
} from "../../../src/application/receiving/receive-traces.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { handBuiltRequests, unknownFields } from "../../support/requests/hand-built-requests.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { request, requestOf, span, spanBody } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

interface Setting {
  readonly spans?: number;
  readonly bytes?: number;
  readonly overflowPolicy?: OverflowPolicy;
  readonly spansPerRequest?: number;
  readonly roomAfterMs?: ReceiveParts["roomAfterMs"];
}

function receiver(setting: Setting = {}) {
  const { spans = 100, bytes = 1 << 16, overflowPolicy = "drop_oldest" } = setting;
  const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
  const buffer = ObservabilityBuffer.create({ spans, bytes }, options);
  const logger = new RecordingLogger();
  const clock = new HandMovedClock();
  const limits = { spansPerRequest: setting.spansPerRequest ?? 1_000, nestingDepth: 100 };
  const { roomAfterMs } = setting;
  const receive = new ReceiveTraces({ buffer, limits, logger, clock, roomAfterMs });
  return { buffer, logger, clock, receive };
}

/** Returns a receipt without its amounts, which have tests of their own. */
function answerOf(receipt: Receipt): object {
  return Object.fromEntries(Object.entries(receipt).filter(([name]) => name !== "amounts"));
}

const bad = bytesField(2, bytesField(5, "bad"));
const scoped = (...fields: number[][]) => request(bytesField(1, bytesField(2, ...fields)));

test("a valid request is accepted and stored byte for byte", () => {
  const { receive, buffer } = receiver();
  const bytes = handBuiltRequests["unknown fields at every level"]!;

  expect(answerOf(receive.receive(bytes))).toEqual({ outcome: "accepted" });
  expect(buffer.take(2).request.toHex()).toBe(bytes.toHex());
});

test("an empty request is accepted", () => {
  const { receive, buffer } = receiver();

  const answer = answerOf(receive.receive(new Uint8Array(0)));

  expect(answer).toEqual({ outcome: "accepted", isEmpty: true });
  expect(buffer.stats().spans.received).toBe(0);
});

test("a request of unknown fields without spans is accepted with a note", () => {
  const { receive, buffer } = receiver();
  const formerName = request(bytesField(1, bytesField(1000, bytesField(2, span(1)))));

  expect(answerOf(receive.receive(formerName))).toEqual({
    outcome: "accepted",
    isEmpty: true,
    unknown: "unknown fields: ResourceSpans.1000",
  });
  expect(buffer.stats().spans.received).toBe(0);
});

test.each([
  { name: "spans beside unknown fields", bytes: scoped(span(1), bytesField(99)), isEmpty: false },
  { name: "a resource without spans", bytes: request(bytesField(1, bytesField(1))), isEmpty: true },
])("a request of $name is accepted without a note", ({ bytes, isEmpty }) => {
  const { receive } = receiver();

  const expected = isEmpty ? { outcome: "accepted", isEmpty } : { outcome: "accepted" };
  expect(answerOf(receive.receive(bytes))).toEqual(expected);
});

test("the bytes of a request may be reused after it was received", () => {
  const { receive, buffer } = receiver();
  const bytes = requestOf(2);

  receive.receive(bytes);
  bytes.fill(0xee);

  expect(buffer.take(2).request).toEqual(requestOf(2));
});

test("rejected spans are explained and counted, and the rest is stored byte for byte", () => {
  const { receive, buffer } = receiver();
  const others = unknownFields.flat();
  const bytes = scoped(bad, others, span(1), bad, span(2), others, span(3));

  const receipt = receive.receive(bytes);

  expect(answerOf(receipt)).toEqual({
    outcome: "partly_rejected",
    rejectedSpans: 2,
    message:
      "2 spans were rejected: 2 x trace_id must be 16 bytes, not all zero; " +
      "2 x span_id must be 8 bytes, not all zero. All other spans were kept.",
  });
  expect(buffer.stats().spans).toMatchObject({ received: 5, rejected: 2, accepted: 3 });
  expect(buffer.stats().bytes).toMatchObject({
    received: 3 * spanBody(1).length + 10,
    rejected: 10,
    buffered: 3 * spanBody(1).length,
  });
  expect(buffer.take(3).request.toHex()).toBe(
    scoped(others, others, span(1), span(2), span(3)).toHex(),
  );
});

test("a request whose spans are all rejected changes only counters", () => {
  const { receive, buffer } = receiver();

  expect(receive.receive(scoped(bad, bad))).toMatchObject({
    outcome: "partly_rejected",
    rejectedSpans: 2,
  });
  expect(buffer.stats().spans).toMatchObject({ received: 2, rejected: 2, buffered: 0 });
  expect(buffer.take(1).request).toHaveLength(0);
});

test.each([
  { name: "a field that is cut off", bytes: [0x0a], where: "at byte 0: a varint" },
  { name: "text", bytes: [0x47, 0x45, 0x54, 0x20], where: "at byte 0: " },
  { name: "a group", bytes: [0x0a, 1, 0x0b], where: "at byte 2: no valid field tag" },
])("$name is malformed and not stored", ({ bytes, where }) => {
  const { receive, buffer } = receiver();

  const receipt = receive.receive(Uint8Array.from(bytes));

  expect(receipt.outcome).toBe("malformed");
  expect(receipt).toHaveProperty(
    "message",
    expect.stringContaining(`not an ExportTraceServiceRequest: ${where}`),
  );
  expect(buffer.stats().spans.received).toBe(0);
});

test("a request that is malformed at its end is not stored, nor are its valid spans", () => {
  const { receive, buffer } = receiver();

  const receipt = receive.receive(Uint8Array.from([...requestOf(3), 0x0a]));

  expect(receipt.outcome).toBe("malformed");
  expect(buffer.stats().spans).toMatchObject({ received: 0, buffered: 0 });
});

test("a request with far more fields than spans is too large", () => {
  const { receive, buffer } = receiver({ spansPerRequest: 1 });
  const emptyResources = new Uint8Array(20_000).map((_, at) => (at % 2 === 0 ? 0x0a : 0));

  expect(receive.receive(emptyResources)).toEqual({
    outcome: "too_large",
    message: "too many fields in one request; send smaller batches",
  });
  expect(buffer.stats().spans.received).toBe(0);
});

test("a request with more spans than allowed is too large", () => {
  const { receive, buffer } = receiver({ spansPerRequest: 3 });

  expect(receive.receive(requestOf(4))).toEqual({
    outcome: "too_large",
    message: "more than 3 spans in one request; send smaller batches",
  });
  expect(buffer.stats().spans.received).toBe(0);
  expect(receive.receive(requestOf(3)).outcome).toBe("accepted");
});

test("a request larger than the whole ring is too large", () => {
  const { receive, buffer } = receiver({ bytes: requestOf(3).length - 1 });

  expect(receive.receive(requestOf(3))).toEqual({
    outcome: "too_large",
    message: "the request is larger than the whole buffer; send smaller batches",
  });
  expect(buffer.stats().spans.received).toBe(0);
});

test("a request that fits without its rejected spans is stored", () => {
  const { receive } = receiver({ bytes: scoped(span(1)).length });

  expect(receive.receive(scoped(span(1), bad)).outcome).toBe("partly_rejected");
});

test.each([
  { knows: "nothing", roomAfterMs: undefined, delaysMs: [1_000, 1_000] },
  { knows: "its drain", roomAfterMs: (spans: number) => spans * 700 + 1, delaysMs: [1_401, 701] },
])("a full ring that knows $knows says when to retry and counts nothing", (given) => {
  const { receive, buffer } = receiver({ ...given, spans: 2, overflowPolicy: "refuse" });
  receive.receive(requestOf(2));
  const before = buffer.stats();

  const receipts = [receive.receive(requestOf(2, 3)), receive.receive(scoped(span(3), bad))];

  const message = "the buffer is full and OVERFLOW_POLICY is refuse; retry later";
  expect(receipts).toEqual(
    given.delaysMs.map((retryAfterMs) => ({ outcome: "refused", message, retryAfterMs })),
  );
  expect(buffer.stats()).toEqual(before);
});

test("a full ring that refuses spans still accepts requests without valid spans", () => {
  const { receive } = receiver({ spans: 1, overflowPolicy: "refuse" });
  receive.receive(requestOf(1));

  expect(receive.receive(new Uint8Array(0)).outcome).toBe("accepted");
  expect(receive.receive(scoped(bad)).outcome).toBe("partly_rejected");
});

test("after a stop every request is refused as retryable, and none is stored", () => {
  const { receive, buffer } = receiver();

  receive.stop();

  const stopping = {
    outcome: "stopping",
    message: "spanring is shutting down; retry later",
  } as const;
  expect(receive.receive(requestOf(1))).toEqual(stopping);
  expect(receive.receive(Uint8Array.of(0x0a))).toEqual(stopping);
  expect(buffer.stats().spans.received).toBe(0);
});

test("an error of the buffer is thrown, and the next request is stored", () => {
  const { buffer, logger, clock } = receiver();
  const faults = [new RangeError("out of memory")];
  const append: ReceiveParts["buffer"]["append"] = (...appended) => {
    for (const fault of faults.splice(0)) throw fault;
    return buffer.append(...appended);
  };
  const limits = { spansPerRequest: 10, nestingDepth: 100 };
  const receive = new ReceiveTraces({ buffer: { append }, limits, logger, clock });

  expect(() => receive.receive(requestOf(1))).toThrow("out of memory");
  expect(receive.receive(requestOf(1)).outcome).toBe("accepted");
  expect(buffer.size()).toBe(1);
});

test("a request with a field for profiles is logged once, and its spans are stored", () => {
  const { receive, buffer, logger } = receiver();
  const bytes = scoped(span(1, bytesField(9, varintField(3, 1))));

  const receipts = [1, 2, 3].map(() => receive.receive(bytes));

  expect(receipts.map(({ outcome }) => outcome)).toEqual(["accepted", "accepted", "accepted"]);
  expect(buffer.size()).toBe(3);
  expect(logger.lines).toEqual([
    { level: "warning", event: "profiles_only_field_seen", fields: { read_as: "absent" } },
  ]);
});

test("a field for profiles is logged even beside rejected spans", () => {
  const { receive, logger } = receiver();

  receive.receive(scoped(bad, span(1, bytesField(9, bytesField(2, varintField(8, 1))))));

  const events = logger.lines.map(({ event }) => event);
  expect(events).toEqual(["profiles_only_field_seen"]);
});
