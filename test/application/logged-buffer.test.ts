import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { LoggedBuffer } from "../../src/application/logged-buffer.ts";
import { ObservabilityBuffer } from "../../src/application/observability-buffer.ts";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { requestOf } from "../support/request-bytes.ts";

test("every operation is told of at DEBUG, and does what the buffer does", () => {
  const options = { codec: new ProtobufSpanCodec() };
  const buffer = ObservabilityBuffer.create({ spans: 10, bytes: 4096 }, options);
  const logger = new RecordingLogger();
  const logged = new LoggedBuffer(buffer, logger);
  const walked = createWalkedRequest({ spansPerRequest: 10, nestingDepth: 100 });
  const request = requestOf(2);
  walkRequest(walked, request);

  const appended = logged.append(walked);
  const peeked = logged.peek(5);
  const taken = logged.take(5);

  const { spanBytes: bytes } = walked;
  expect([appended.outcome, peeked, taken]).toEqual(["accepted", request, request]);
  expect(logged.stats()).toEqual(buffer.stats());
  expect(logger.lines).toEqual([
    { level: "debug", event: "appended", fields: { outcome: "accepted", spans: 2, bytes } },
    { level: "debug", event: "peeked", fields: { limit: 5, request_bytes: request.length } },
    { level: "debug", event: "taken", fields: { limit: 5, request_bytes: request.length } },
  ]);
});
