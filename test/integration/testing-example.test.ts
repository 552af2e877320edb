import { expect, test } from "bun:test";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { startSpanring } from "spanring/testing";

test("an order is traced", async () => {
  await using ring = await startSpanring();
  const exporter = new OTLPTraceExporter({ url: `${ring.endpoints.http}/v1/traces` });
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });

  provider.getTracer("shop").startSpan("GET /orders").end();
  await provider.shutdown();

  const [span] = await ring.waitFor({ name: "GET /orders" });
  expect(span?.status.code).toBe(0);
});
