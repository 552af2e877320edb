import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";
import { buildParts } from "../../src/server/parts.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";

test("every run has a unique identifier of 16 hex digits", () => {
  const reading = readConfig({});
  if (!reading.ok) throw new Error("the configuration is not right");
  const inputs = { config: reading.config, logger: new RecordingLogger(), version: "0.0.0" };

  const runIds = Array.from({ length: 20 }, () => buildParts(inputs).runId);

  expect(new Set(runIds).size).toBe(20);
  for (const runId of runIds) expect(runId).toMatch(/^[0-9a-f]{16}$/);
});
