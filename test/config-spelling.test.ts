import { expect, test } from "bun:test";
import { readConfig } from "../src/config.ts";
import type { Environment } from "../src/config.ts";

test.each([
  { slip: "MAX_BUFER_SIZE", meant: "MAX_BUFFER_SIZE" },
  { slip: "OTLP_GRPC_PROT", meant: "OTLP_GRPC_PORT" },
  { slip: "MAX_BUFFER_BYTE", meant: "MAX_BUFFER_BYTES" },
  { slip: "max_buffer_size", meant: "MAX_BUFFER_SIZE" },
  { slip: "SHUTDOWN_GRACE_SEC", meant: undefined },
  { slip: "APP_PORT", meant: undefined },
  { slip: "LOG_LEVELS", meant: undefined },
  { slip: "OTLP_HTTP_PORT", meant: undefined },
  { slip: "PATH", meant: undefined },
  { slip: "X".repeat(100_000), meant: undefined },
])("$slip is taken for a slip of $meant", ({ slip, meant }) => {
  const warnings = readConfig({ [slip]: "a secret" }).warnings;

  expect(warnings).toEqual(
    meant === undefined ? [] : [{ variable: slip, message: `unknown: did you mean ${meant}?` }],
  );
});

test("slips are told of beside mistakes as well", () => {
  const env: Environment = { LOG_LEVEL: "LOUD", MAX_BUFER_SIZE: "1" };

  const reading = readConfig(env);

  expect(reading.ok).toBe(false);
  expect(reading.warnings.map((warning) => warning.variable)).toEqual(["MAX_BUFER_SIZE"]);
});
