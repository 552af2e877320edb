import { expect, test } from "bun:test";
import { MeasuredMemory } from "../../src/adapters/memory/measured-memory.ts";
import { readConfig } from "../../src/config/config.ts";
import { buildParts } from "../../src/server/parts.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { callUnary, EXPORT_PATH, openGrpcClient } from "../support/grpc/grpc-call.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { runServer } from "../support/running/running-server.ts";

const MIB = 2 ** 20;

test("every run has a unique identifier of 16 hex digits", () => {
  const reading = readConfig({});
  if (!reading.ok) throw new Error("the configuration is not right");
  const inputs = { config: reading.config, logger: new RecordingLogger(), version: "0.0.0" };

  const runIds = Array.from({ length: 20 }, () => buildParts(inputs).runId);

  expect(new Set(runIds).size).toBe(20);
  for (const runId of runIds) expect(runId).toMatch(/^[0-9a-f]{16}$/);
});

test.each([
  { variable: "HTTP_MAX_BODY_LENGTH", size: "50MiB" },
  { variable: "GRPC_MAX_MESSAGE_LENGTH", size: "50MiB" },
])("answers leave room to a request as large as $variable", ({ variable, size }) => {
  const reading = readConfig({ [variable]: size, MAX_BUFFER_BYTES: size });
  if (!reading.ok) throw new Error("the configuration is not right");
  const { budget } = buildParts({
    config: reading.config,
    logger: new RecordingLogger(),
    version: "0.0.0",
  });
  let droppedCount = 0;
  budget.noteAnswers(100 * MIB);
  const request = budget.begin({ dropped: () => void (droppedCount += 1) }, 0);

  budget.hold(request, 50 * MIB);
  const before = droppedCount;
  budget.hold(request, 2 * MIB);

  expect([before, droppedCount]).toEqual([0, 1]);
});

test.each([
  { ownsProcess: true, measured: MeasuredMemory },
  { ownsProcess: undefined, measured: Object },
])("the memory of a process is bounded only if nothing else runs in it: $ownsProcess", (given) => {
  const reading = readConfig({});
  if (!reading.ok) throw new Error("the configuration is not right");
  const inputs = { config: reading.config, logger: new RecordingLogger(), version: "0.0.0" };

  const { budget } = buildParts({ ...inputs, ...(given.ownsProcess && { ownsProcess: true }) });

  expect(budget.memory.constructor).toBe(given.measured);
});

test("the statistics count what exporters have done, by protocol and signal", async () => {
  const server = await runServer({});
  const { grpc, http, api } = server.ports;
  const client = openGrpcClient(Number(grpc));
  const metrics = { method: "POST", headers: { "Content-Type": "application/x-protobuf" } };

  await callUnary(client, EXPORT_PATH, Buffer.from(requestOf(1)));
  await callUnary(client, EXPORT_PATH, Buffer.alloc(0));
  await exportOverHttp(`http://127.0.0.1:${http}`, requestOf(2));
  await fetch(`http://127.0.0.1:${http}/v1/metrics`, metrics);
  const response = await fetch(`http://127.0.0.1:${api}/api/stats`);
  const { exporters } = (await response.json()) as { exporters: unknown };
  client.close();
  await server.stop(0);

  expect(exporters).toEqual({
    grpc: { connections: 1, requests: { traces: 2, metrics: 0, logs: 0 } },
    http: { requests: { traces: 1, metrics: 1, logs: 0 } },
  });
});
