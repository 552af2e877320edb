/**
 * Emits the trace of an order with the real SDK: a server span, the span that authorises it, and
 * one of a database, which fails unless the first argument is `well`.
 */
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const resource = resourceFromAttributes({ "service.name": "shop" });
const url = process.env.ORDER_ENDPOINT;
const exporter = new OTLPTraceExporter(url === undefined ? {} : { url: `${url}/v1/traces` });
const provider = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer("shop");
/** Returns a time so many milliseconds after the first. */
const at = (ms) => new Date(1_700_000_000_000 + ms);
const within = (span) => trace.setSpan(context.active(), span);

const order = tracer.startSpan("GET /orders", {
  kind: SpanKind.SERVER,
  attributes: { "http.route": "/orders", "http.response.status_code": 500 },
  startTime: at(1_000),
});
const authorize = tracer.startSpan("authorize", { startTime: at(2_000) }, within(order));
authorize.end(at(3_000));
const select = tracer.startSpan("SELECT orders", { startTime: at(4_000) }, within(order));
if (process.argv[2] !== "well") {
  const type = { "exception.type": "TimeoutError" };
  select.addEvent("exception", type, at(4_500));
  select.setStatus({ code: SpanStatusCode.ERROR });
}
select.end(at(5_000));
order.end(at(6_000));
await provider.shutdown();
