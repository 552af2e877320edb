/**
 * A small program with the real SDK over gRPC that sends one span, larger than a receiver accepts.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())];
const provider = new BasicTracerProvider({ spanProcessors });
const attributes = { payload: "x".repeat(6_000_000) };
provider.getTracer("shop").startSpan("big", { attributes }).end();
await provider.shutdown();
