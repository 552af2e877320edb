import { expect, test } from "bun:test";
import { ringBytes } from "../../src/application/ring/ring-memory.ts";
import { readConfig } from "../../src/config/config.ts";
import { memoryWarnings } from "../../src/server/memory.ts";
import { startServer } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";

const MIB = 1024 * 1024;

function warningsFor(env: Record<string, string>, limitBytes: number) {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error("the configuration is not right");
  return memoryWarnings(reading.config, limitBytes);
}

const NEEDED = ringBytes({ spans: 10_000, bytes: 64 * MIB }) + 64 * MIB + 100 * MIB;

test.each([
  { name: "less than", limit: NEEDED - 1, count: 1 },
  { name: "all that", limit: NEEDED, count: 0 },
])("a limit of $name the defaults may need causes $count warnings", ({ limit, count }) => {
  expect(warningsFor({}, limit)).toHaveLength(count);
});

test("the warning contains the required memory, its parts and the remedy", () => {
  const env = {
    MAX_BUFFER_BYTES: "256MiB",
    MAX_BUFFER_SIZE: "1000000",
    MAX_IN_FLIGHT_BYTES: "8MiB",
  };

  expect(warningsFor(env, 128 * MIB)).toEqual([
    {
      variable: "MAX_BUFFER_BYTES",
      message:
        "the cgroup's memory limit is 128 MiB, and up to 686 MiB may be needed: 330 MiB for the " +
        "buffer and its index, 8 MiB for requests in flight, 248 MiB for a response with the " +
        "whole buffer, 100 MiB for the program. Raise the limit, or lower MAX_BUFFER_BYTES, " +
        "MAX_BUFFER_SIZE or MAX_IN_FLIGHT_BYTES",
    },
  ]);
});

test("batches that are being forwarded count", () => {
  const env = {
    FORWARD_ENDPOINT: "http://127.0.0.1:9",
    FORWARD_CONCURRENCY: "4",
    FORWARD_BATCH_BYTES: "5MiB",
  };

  expect(warningsFor(env, NEEDED + 20 * MIB)).toEqual([]);
  expect(warningsFor(env, NEEDED + 20 * MIB - 1)).toMatchObject([
    {
      message: expect.stringMatching(
        /20 MiB for batches that are being forwarded, .*_CONCURRENCY or FORWARD_BATCH_BYTES$/,
      ),
    },
  ]);
});

test("connections beyond a thousand count", () => {
  const env = { MAX_CONNECTIONS: "3000" };

  expect(warningsFor(env, NEEDED + 125 * MIB)).toEqual([]);
  expect(warningsFor(env, NEEDED + 125 * MIB - 1)).toMatchObject([
    {
      message: expect.stringMatching(
        /125 MiB for connections beyond the first 1,000, .*_IN_FLIGHT_BYTES or MAX_CONNECTIONS$/,
      ),
    },
  ]);
});

test("the conversion of JSON bodies above 20 MiB counts", () => {
  const env = { HTTP_MAX_BODY_LENGTH: "60MiB" };

  expect(warningsFor(env, NEEDED + 45 * MIB)).toEqual([]);
  expect(warningsFor(env, NEEDED + 45 * MIB - 1)).toMatchObject([
    { message: expect.stringContaining("45 MiB for the conversion of a large JSON body, ") },
  ]);
});

test("a start logs the warning", async () => {
  const ports = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };
  const reading = readConfig({
    ...ports,
    OTLP_GRPC_HOST: "127.0.0.1",
    OTLP_HTTP_HOST: "127.0.0.1",
  });
  if (!reading.ok) throw new Error("the configuration is not right");
  const logger = new RecordingLogger();

  const parts = { config: reading.config, logger, version: "0.0.0" };
  const server = await startServer({ ...parts, memoryLimitBytes: () => MIB });
  await server.stop(0);

  expect(logger.lines.filter(({ event }) => event === "configuration")).toMatchObject([
    { level: "warning", fields: { variable: "MAX_BUFFER_BYTES" } },
  ]);
});

test("a log on disk needs memory for waiting requests and for a segment", () => {
  const env = { DATA_DIR: "/data", MAX_DISK_BYTES: "160MiB" };
  const needed = NEEDED + (32 + 10) * MIB;

  expect(warningsFor(env, needed)).toEqual([]);
  expect(warningsFor(env, needed - 1)).toEqual([
    {
      variable: "MAX_BUFFER_BYTES",
      message: expect.stringContaining("42 MiB for the log on disk"),
    },
  ]);
});
