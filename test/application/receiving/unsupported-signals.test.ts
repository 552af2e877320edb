import { expect, test } from "bun:test";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";

test.each([
  { signal: "metrics" as const, variable: "OTEL_METRICS_EXPORTER=none" },
  { signal: "logs" as const, variable: "OTEL_LOGS_EXPORTER=none" },
])("the message to a sender of $signal says how to turn them off", ({ signal, variable }) => {
  const unsupported = new UnsupportedSignals();

  const { message, ...answer } = unsupported.receive({ signal, protocol: "http", items: 3 });

  expect(answer).toEqual({ outcome: "unsupported", signal, rejectedItems: 3 });
  expect(message).toContain("traces only");
  expect(message).toContain(variable);
});

test("unsupported requests are counted by signal and protocol", () => {
  const unsupported = new UnsupportedSignals();

  unsupported.receive({ signal: "metrics", protocol: "http", items: 3 });
  unsupported.receive({ signal: "metrics", protocol: "http", items: 0 });
  unsupported.receive({ signal: "logs", protocol: "grpc", items: 1 });

  expect(unsupported.counts).toEqual({ metrics: { grpc: 0, http: 2 }, logs: { grpc: 1, http: 0 } });
});
