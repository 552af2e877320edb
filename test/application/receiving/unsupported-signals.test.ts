import { expect, test } from "bun:test";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

test.each([
  { signal: "metrics" as const, variable: "OTEL_METRICS_EXPORTER=none" },
  { signal: "logs" as const, variable: "OTEL_LOGS_EXPORTER=none" },
])("the message to a sender of $signal says how to stop sending them", ({ signal, variable }) => {
  const unsupported = new UnsupportedSignals(new RecordingLogger(), new HandMovedClock());

  const { message, ...answer } = unsupported.receive({ signal, protocol: "http", items: 3 });
  unsupported.stop();

  expect(answer).toEqual({ outcome: "unsupported", signal, rejectedItems: 3 });
  expect(message).toContain("traces only");
  expect(message).toContain(variable);
});

test("requests are counted by signal and by protocol", () => {
  const unsupported = new UnsupportedSignals(new RecordingLogger(), new HandMovedClock());

  unsupported.receive({ signal: "metrics", protocol: "http", items: 3 });
  unsupported.receive({ signal: "metrics", protocol: "http", items: 0 });
  unsupported.receive({ signal: "logs", protocol: "grpc", items: 1 });
  unsupported.stop();

  expect(unsupported.counts).toEqual({ metrics: { grpc: 0, http: 2 }, logs: { grpc: 1, http: 0 } });
});

test("many in a second are one line at the first, and one for the others", () => {
  const logger = new RecordingLogger();
  const unsupported = new UnsupportedSignals(logger, new HandMovedClock());

  const metrics = { signal: "metrics", protocol: "http", items: 3 } as const;
  for (let time = 0; time < 5; time += 1) unsupported.receive(metrics);
  unsupported.receive({ ...metrics, signal: "logs" });
  unsupported.stop();

  expect(logger.lines).toEqual([
    { level: "warning", event: "signals_unsupported", fields: { metrics: 1 } },
    { level: "warning", event: "signals_unsupported", fields: { metrics: 4, logs: 1 } },
  ]);
});
