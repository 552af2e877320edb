/**
 * Runs an Express application with automatic instrumentation, and calls it with `fetch`: one order
 * that succeeds, one that fails, and a job that is linked to the first one.
 *
 *     node express-app.mjs http://127.0.0.1:4318
 */
import { createRequire } from "node:module";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { ExpressInstrumentation } from "@opentelemetry/instrumentation-express";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ url: `${process.argv[2]}/v1/traces` });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "orders" }),
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});
provider.register();
for (const Instrumentation of [HttpInstrumentation, ExpressInstrumentation, UndiciInstrumentation])
  new Instrumentation().setTracerProvider(provider);

// It is required after the instrumentation, which changes it while it loads.
const express = createRequire(import.meta.url)("express");
const tracer = trace.getTracer("orders");
const app = express();
let accepted;

app.get("/orders/:id", (request, response) => {
  accepted ??= trace.getActiveSpan().spanContext();
  if (request.params.id !== "13") return void response.json({ id: request.params.id });
  tracer.startActiveSpan("charge card", (span) => {
    span.recordException(new RangeError("the card was declined"));
    span.setStatus({ code: SpanStatusCode.ERROR, message: "the card was declined" });
    span.end();
  });
  response.status(500).end();
});

const server = app.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  for (const id of ["7", "13"]) await (await fetch(`http://127.0.0.1:${port}/orders/${id}`)).text();
  tracer.startSpan("send invoice", { links: [{ context: accepted }], root: true }).end();
  await provider.shutdown();
  server.close();
  server.closeAllConnections();
});
