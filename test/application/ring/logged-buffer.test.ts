import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { LoggedBuffer } from "../../../src/application/ring/logged-buffer.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

test("what enters or leaves is told of at DEBUG, and done as the buffer does it", () => {
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
  const taken = logged.take(1);
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

test("whoever only looks leaves no line", () => {
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
