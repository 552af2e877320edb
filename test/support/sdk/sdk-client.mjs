/**
 * An application with the real SDK, in Node or in Bun:
 * `node sdk-client.mjs URL none|gzip grpc|http/protobuf|http/json`.
 *
 * It prints a line of JSON for each span it has ended, in the terms of the SDK, and at the end one
 * about its exports.
 */
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { clockFrom, GROUPS } from "./emit-spans.mjs";

const EXPORTERS = {
  grpc: GrpcExporter,
  "http/protobuf": ProtobufExporter,
  "http/json": JsonExporter,
};

const [url, compression, protocol] = process.argv.slice(2);
const Exporter = EXPORTERS[protocol];
const report = { exports: 0, errors: [] };
const providers = [];

function open(options) {
  const exporter = countResults(new Exporter({ url, compression }));
  const spanProcessors = [new BatchSpanProcessor({ exporter }), printer];
  const provider = new TracerProvider({ ...options, spanProcessors });
  providers.push(provider);
  return provider;
}

function countResults(exporter) {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        report.exports += 1;
        if (result.code !== 0) report.errors.push(String(result.error));
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

const printer = {
  onStart() {},
  onEnd: (span) => print({ span: wordsOf(span) }),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function wordsOf(span) {
  return {
    context: contextWords(span.spanContext()),
    parent: span.parentSpanContext && contextWords(span.parentSpanContext),
    name: span.name,
    kind: span.kind,
    startTime: span.startTime,
    endTime: span.endTime,
    attributes: span.attributes,
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events,
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map((link) => ({ ...link, context: contextWords(link.context) })),
    droppedLinksCount: span.droppedLinksCount,
    status: span.status,
    resource: { attributes: span.resource.attributes, schemaUrl: span.resource.schemaUrl },
    scope: span.instrumentationScope,
  };
}

function contextWords({ traceId, spanId, traceFlags, isRemote, traceState }) {
  return { traceId, spanId, traceFlags, isRemote, traceState: traceState?.serialize() };
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line, asJson)}\n`);
}

/** Converts values that JSON cannot represent. */
function asJson(_key, value) {
  if (value instanceof Uint8Array) return { $bytes: [...value] };
  return typeof value === "number" && !Number.isFinite(value) ? { $number: String(value) } : value;
}

const fail = (...words) => report.errors.push(words.map(String).join(" "));
const quiet = () => {};
diag.setLogger(
  { error: fail, warn: quiet, info: quiet, debug: quiet, verbose: quiet },
  DiagLogLevel.ERROR,
);

const at = clockFrom(Math.floor(Date.now() / 1000));
for (const emit of Object.values(GROUPS)) emit({ open, at, isJson: protocol === "http/json" });
await Promise.all(providers.map((provider) => provider.shutdown()));
print({ report });
