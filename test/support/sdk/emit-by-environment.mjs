/**
 * A small program with the real SDK that exports according to its environment: `node
 * emit-by-environment.mjs [EXIT_CODE | wait]`.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const resource = resourceFromAttributes({ "service.name": "shop" });
const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())];
const provider = new BasicTracerProvider({ resource, spanProcessors });
const tracer = provider.getTracer("shop");
for (const name of ["GET /", "GET /", "SELECT orders"]) tracer.startSpan(name).end();
await provider.shutdown();

const [what = "0"] = process.argv.slice(2);
process.on("SIGTERM", () => process.exit(7));
process.stdout.write("exported\n");
if (what === "wait") setInterval(() => {}, 1000);
else process.exit(Number(what));
