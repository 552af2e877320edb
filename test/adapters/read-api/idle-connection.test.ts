import { expect, test } from "bun:test";
import { AnswerBudget } from "../../../src/adapters/read-api/answer-budget.ts";
import { answerRequest } from "../../../src/adapters/read-api/answer-request.ts";
import { TailPermits } from "../../../src/adapters/read-api/tail-permits.ts";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { Arrivals } from "../../../src/application/arrivals/arrivals.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { exporterCounts } from "../../support/fakes/exporter-counts.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { recordingProblems } from "../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

// Goal: a connection without traffic is closed, but not while a client waits on it.
// Method: the settings for the server are recorded, because its timeout is half a minute.

const CAPACITY = { spans: 10, bytes: 4096 };

/** Returns the successive settings of whether the connection may idle. */
async function idlingOf(path: string) {
  const settings: boolean[] = [];
  const buffer = ObservabilityBuffer.create(CAPACITY, { codec: new ProtobufSpanCodec() });
  const context = {
    buffer,
    arrivals: new Arrivals(buffer, CAPACITY),
    runId: "a1",
    budget: new AnswerBudget(1),
    waits: new Semaphore(1),
    uploads: new Semaphore(1),
    followed: new Semaphore(1),
    tails: new TailPermits(1, new HandMovedClock()),
    stopping: new AbortController().signal,
    readiness: () => "ready" as const,
    highWater: () => undefined,
    problems: recordingProblems(new RecordingLogger()),
    exporters: () => exporterCounts(),
    clock: SYSTEM_CLOCK,
    uptimeMs: () => 1,
    version: "1.2.3",
    receivers: () => ({}),
    isLoopbackOnly: true,
    metrics: () => ({ contentType: "text/plain", text: "" }),
    description: () => ({}),
    logger: new RecordingLogger(),
    allowIdling: (_: unknown, mayIdle: boolean) => void settings.push(mayIdle),
  };
  const response = await answerRequest(context, new Request(`http://localhost${path}`), "");
  await response.body?.cancel();
  return settings;
}

test("the connection of a wait may idle until the answer", async () => {
  expect(await idlingOf("/api/wait?timeout=0s")).toEqual([true, false]);
});

test("the connection of a tail may idle until the end", async () => {
  expect(await idlingOf("/api/tail")).toEqual([true, false]);
});

test.each(["/api/spans", "/api/traces", "/api/stats"])(
  "the connection of %s may never idle",
  async (path) => {
    expect(await idlingOf(path)).toEqual([]);
  },
);
