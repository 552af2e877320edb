import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { LoggedBuffer } from "../../../src/application/ring/logged-buffer.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import type { SpanAmount } from "../../../src/domain/ledger.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { knownAtOnce } from "../../support/oracles/known-at-once.ts";
import type { TraceBuffer } from "../../../src/ports/trace-buffer.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

test("appends and removals are logged at DEBUG and passed on to the buffer", () => {
  const options = { codec: new ProtobufSpanCodec() };
  const buffer = ObservabilityBuffer.create({ spans: 10, bytes: 4096 }, options);
  const logger = new RecordingLogger();
  const logged = new LoggedBuffer(buffer, logger);
  const walked = createWalkedRequest({ spansPerRequest: 10, nestingDepth: 100 });
  const request = requestOf(2);
  walkRequest(walked, request);

  const appended = logged.append(walked);
  const copied = logged.copy([1, 2]);
  const peeked = logged.peek(5);
  const taken = knownAtOnce(logged.take(1));
  const cleared = logged.clear();

  const { spanBytes: bytes } = walked;
  expect(appended.outcome).toBe("accepted");
  const both = { request, sequences: [1, 2] };
  expect(copied).toEqual(both);
  expect(peeked).toEqual({ ...both, range: { first: 1, next: 3 } });
  expect([taken.sequences, cleared]).toEqual([[1], 1]);
  expect(logger.lines).toEqual([
    { level: "debug", event: "appended", fields: { outcome: "accepted", spans: 2, bytes } },
    { level: "debug", event: "copied", fields: { spans: 2, request_bytes: request.length } },
    { level: "debug", event: "peeked", fields: { limit: 5, request_bytes: request.length } },
    { level: "debug", event: "taken", fields: { limit: 1, request_bytes: taken.request.length } },
    { level: "debug", event: "cleared", fields: { spans: 1 } },
  ]);
});

test("leases and settlements are logged at DEBUG", () => {
  const { buffer, logger, logged } = filledBuffer(5);

  const oldest = knownAtOnce(logged.lease({ spans: 2, bytes: 4096 }))!;
  const newest = logged.leaseNewest()!;
  const evicted = [
    logged.settle(oldest, "undeliverable", { first: 0, end: 1 }),
    logged.settle(oldest, "returned", { first: 1, end: 2 }),
    logged.settle(newest, "delivered"),
  ];

  expect([oldest.sequences, newest.sequences]).toEqual([[1, 2], [5]]);
  expect(evicted).toEqual([0, 0, 0]);
  expect(buffer.stats().spans).toMatchObject({ buffered: 3, delivered: 1, undeliverable: 1 });
  expect(logger.lines.map(({ level, event, fields }) => [level, event, fields])).toEqual([
    ["debug", "leased", { spans: 2 }],
    ["debug", "leased", { spans: 1 }],
    ["debug", "settled", { settlement: "undeliverable", spans: 1, evicted_spans: 0 }],
    ["debug", "settled", { settlement: "returned", spans: 1, evicted_spans: 0 }],
    ["debug", "settled", { settlement: "delivered", spans: 1, evicted_spans: 0 }],
  ]);
});

test("spans that are read from a disk are logged once they are known", async () => {
  const { buffer, logger } = filledBuffer(5);
  const later: TraceBuffer = Object.create(buffer, {
    take: { value: async (spanCount: number) => buffer.take(spanCount) },
    lease: { value: async (limit: SpanAmount) => buffer.lease(limit) },
    hasSpilled: { value: () => true },
  });
  const logged = new LoggedBuffer(later, logger);

  const taking = logged.take(2);
  const leasing = logged.lease({ spans: 2, bytes: 4096 });
  const linesBefore = logger.lines.length;
  const [taken, leased] = await Promise.all([taking, leasing]);

  expect([linesBefore, taken.sequences, leased?.sequences]).toEqual([0, [1, 2], [3, 4]]);
  expect(logged.hasSpilled()).toBe(true);
  expect(logger.lines.map(({ event }) => event)).toEqual(["taken", "leased"]);
});

test("a lease without spans is not logged", () => {
  const { logger, logged } = filledBuffer(0);

  const leases = [knownAtOnce(logged.lease({ spans: 2, bytes: 4096 })), logged.leaseNewest()];

  expect(leases).toEqual([undefined, undefined]);
  expect(logger.lines).toEqual([]);
});

test("queries about the buffer are passed on without a log line", () => {
  const { buffer, logger, logged } = filledBuffer(5);
  const beforeMs = Date.now();
  const rooms = [5, 6].map((spans) => logged.hasRoom({ spans, bytes: 100 }));

  expect(rooms).toEqual([true, false]);
  expect(logged.oldestUnixMs()).toBe(buffer.oldestUnixMs()!);
  expect(logged.oldestUnixMs()).toBeLessThanOrEqual(beforeMs);
  expect([logged.usedShare(), logged.usedBytes()]).toEqual([0.5, buffer.usedBytes()]);
  expect(logger.lines).toEqual([]);
});

test("reading without removing writes no log line", () => {
  const options = { codec: new ProtobufSpanCodec() };
  const buffer = ObservabilityBuffer.create({ spans: 10, bytes: 4096 }, options);
  const logger = new RecordingLogger();
  const logged = new LoggedBuffer(buffer, logger);
  const range = { first: 1, next: 1 };

  logged.visit({ matcher: compileFilter([]), newestFirst: false, range }, () => true);
  const nothing = logged.copy([]);

  expect(nothing.sequences).toEqual([]);
  expect([logged.range(), logged.services(), logged.stats()]).toEqual([range, [], buffer.stats()]);
  expect(logged.usedBytes()).toBe(0);
  expect(logger.lines).toEqual([]);
});

/** Returns a buffer for ten spans that holds `spanCount`, and an empty log. */
function filledBuffer(spanCount: number) {
  const options = { codec: new ProtobufSpanCodec() };
  const buffer = ObservabilityBuffer.create({ spans: 10, bytes: 4096 }, options);
  const walked = createWalkedRequest({ spansPerRequest: 10, nestingDepth: 100 });
  walkRequest(walked, requestOf(spanCount));
  buffer.append(walked);
  const logger = new RecordingLogger();
  return { buffer, logger, logged: new LoggedBuffer(buffer, logger) };
}
