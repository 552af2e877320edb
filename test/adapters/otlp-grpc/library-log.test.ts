import { afterAll, beforeEach, expect, test } from "bun:test";
import { experimental, logVerbosity, Metadata, setLogger, setLogVerbosity } from "@grpc/grpc-js";
import { logLibraryThrough } from "../../../src/adapters/otlp-grpc/library-log.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

let logger: RecordingLogger;

beforeEach(() => {
  logger = new RecordingLogger();
  logLibraryThrough(logger);
});
// The logger is the process's: other test files start with none.
afterAll(() => setLogger({}));

test("what grpc-js complains of is a warning of ours, without the value that a peer sent", () => {
  Metadata.fromHttp2Headers({ "x-name": "secret\u0001value" });

  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "grpc_library",
      fields: { lines: 1, text: "Failed to add metadata entry x-name" },
    },
  ]);
});

test("what a peer can put in is escaped and cut", () => {
  Metadata.fromHttp2Headers({ [`x\u001b[2J${"y".repeat(1000)}`]: "value" });

  const text = String(logger.lines[0]?.fields["text"]);
  expect(text).toStartWith("Failed to add metadata entry x\\x1b[2Jyyy");
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(256);
});

test("many complaints are one line a second", () => {
  for (let call = 0; call < 100; call += 1) {
    Metadata.fromHttp2Headers({ "x-name": "secret\u0001value" });
  }

  expect(logger.lines).toHaveLength(1);
});

test("what is less than an error is not told, whatever was asked of grpc-js before", () => {
  setLogVerbosity(logVerbosity.DEBUG);

  logLibraryThrough(logger);
  experimental.log(logVerbosity.DEBUG, "received headers");
  experimental.log(logVerbosity.INFO, "something happened");

  expect(logger.lines).toEqual([]);
});
