import { credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { ReadableSpan, TracerProviderOptions } from "@opentelemetry/sdk-trace";
import { clockFrom, GROUPS } from "./emit-spans.mjs";
import { GOLDEN_NAMES, type GoldenName } from "../requests/golden-requests.ts";

/**
 * Records the requests of the SDK for each group. They are always the same, because times and
 * identifiers are fixed.
 */
export async function recordGoldenRequests(): Promise<Map<GoldenName, Uint8Array>> {
  const recorder = await startRecorder();
  const exporter = new OTLPTraceExporter({
    url: `http://127.0.0.1:${recorder.port}`,
    credentials: credentials.createInsecure(),
  });
  const recorded = new Map<GoldenName, Uint8Array>();
  try {
    for (const name of GOLDEN_NAMES) {
      await exportAll(exporter, spansOf(name));
      recorded.set(name, recorder.takeLast());
    }
  } finally {
    await exporter.shutdown();
    recorder.stop();
  }
  return recorded;
}

function spansOf(name: GoldenName): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const idGenerator = countingIds();
  const open = (options: TracerProviderOptions) =>
    new TracerProvider({
      ...options,
      idGenerator,
      spanProcessors: [new SimpleSpanProcessor({ exporter: memory })],
    });
  GROUPS[name]?.({ open, at: clockFrom(1_753_000_000) });
  return memory.getFinishedSpans();
}

function countingIds() {
  let last = 0xa0;
  const next = (digits: number) => (last += 1).toString(16).padStart(digits, "5");
  return { generateTraceId: () => next(32), generateSpanId: () => next(16) };
}

async function exportAll(exporter: OTLPTraceExporter, spans: ReadableSpan[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  exporter.export(spans, ({ code, error }) => (code === 0 ? resolve() : reject(error)));
  await promise;
}

/** Starts a gRPC server that accepts any trace request and keeps the last one. */
async function startRecorder() {
  let last = new Uint8Array();
  const server = new Server();
  server.addService(RAW_TRACE_SERVICE, {
    Export: (
      call: { request: Uint8Array },
      answer: (error: null, response: Uint8Array) => void,
    ) => {
      last = new Uint8Array(call.request);
      answer(null, new Uint8Array());
    },
  });
  const bind = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error === null ? bind.resolve(port) : bind.reject(error),
  );
  return { port: await bind.promise, takeLast: () => last, stop: () => server.forceShutdown() };
}

const asItIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

const RAW_TRACE_SERVICE = {
  Export: {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  },
};
