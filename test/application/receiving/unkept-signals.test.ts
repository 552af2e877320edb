import { expect, test } from "bun:test";
import { UnkeptSignals } from "../../../src/application/receiving/unkept-signals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

test.each([
  { signal: "metrics" as const, variable: "OTEL_METRICS_EXPORTER=none" },
  { signal: "logs" as const, variable: "OTEL_LOGS_EXPORTER=none" },
])("the sender of $signal is told how to stop sending them", ({ signal, variable }) => {
  const unkept = new UnkeptSignals(new RecordingLogger());

  const { message, ...answer } = unkept.receive({ signal, protocol: "http", items: 3 });
  unkept.stop();

  expect(answer).toEqual({ outcome: "not_kept", signal, rejectedItems: 3 });
  expect(message).toContain("traces only");
  expect(message).toContain(variable);
});

test("requests are counted by signal and by protocol", () => {
  const unkept = new UnkeptSignals(new RecordingLogger());

  unkept.receive({ signal: "metrics", protocol: "http", items: 3 });
  unkept.receive({ signal: "metrics", protocol: "http", items: 0 });
  unkept.receive({ signal: "logs", protocol: "grpc", items: 1 });
  unkept.stop();

  expect(unkept.counts).toEqual({ metrics: { grpc: 0, http: 2 }, logs: { grpc: 1, http: 0 } });
});

test("many in a second are one line at the first, and one for the others", () => {
  const logger = new RecordingLogger();
  const unkept = new UnkeptSignals(logger);

  const metrics = { signal: "metrics", protocol: "http", items: 3 } as const;
  for (let time = 0; time < 5; time += 1) unkept.receive(metrics);
  unkept.receive({ ...metrics, signal: "logs" });
  unkept.stop();

  expect(logger.lines).toEqual([
    { level: "warning", event: "signals_not_kept", fields: { metrics: 1 } },
    { level: "warning", event: "signals_not_kept", fields: { metrics: 4, logs: 1 } },
  ]);
});
