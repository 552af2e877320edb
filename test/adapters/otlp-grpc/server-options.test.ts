import { expect, test } from "bun:test";
import { serverOptions } from "../../../src/adapters/otlp-grpc/server-options.ts";
import { GRPC_TEST_LIMITS } from "../../support/running/running-grpc-listener.ts";

test("grpc-js is given every limit that it can keep, and none is left open", () => {
  const limits = {
    ...GRPC_TEST_LIMITS,
    streamsPerConnection: 1,
    idleMs: 2,
    connectionAgeMs: 3,
    keepaliveMs: 4,
    keepaliveTimeoutMs: 5,
  };

  const options = serverOptions(limits, 6);

  expect(options).toEqual({
    "grpc.max_concurrent_streams": 1,
    "grpc.max_connection_idle_ms": 2,
    "grpc.max_connection_age_ms": 3,
    "grpc.max_connection_age_grace_ms": 30_000,
    "grpc.keepalive_time_ms": 4,
    "grpc.keepalive_timeout_ms": 5,
    "grpc.max_receive_message_length": 6,
    "grpc.enable_channelz": 0,
  });
});
