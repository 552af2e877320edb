import { credentials } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { ReadableSpan, TracerProviderOptions } from "@opentelemetry/sdk-trace";
import { clockFrom, GROUPS } from "./emit-spans.mjs";
import { grpcSuccess, startGrpcUpstream } from "../upstreams/grpc-upstream.ts";

/** Number of spans in a scene. */
export const SPANS_OF_SCENE = 16;

const SCENES_OF_REQUEST = 32;

/** Returns the requests of the exporter for this many scenes. */
export async function sdkRequests(scenes: number): Promise<Uint8Array[]> {
  const recorder = await startGrpcUpstream(() => grpcSuccess());
  const exporter = new OTLPTraceExporter({
    url: `http://127.0.0.1:${recorder.port}`,
    credentials: credentials.createInsecure(),
  });
  try {
    for (let left = scenes; left > 0; left -= SCENES_OF_REQUEST) {
      await exportAll(exporter, play(Math.min(left, SCENES_OF_REQUEST)));
    }
    return recorder.requests.map(({ bytes }) => bytes);
  } finally {
    await exporter.shutdown();
    await recorder.stop();
  }
}

function play(scenes: number): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter: memory })];
  const open = (options: TracerProviderOptions) =>
    new TracerProvider({ ...options, spanProcessors });
  const at = clockFrom(1_753_000_000);
  for (let scene = 0; scene < scenes; scene += 1) {
    for (const emit of Object.values(GROUPS)) emit({ open, at });
  }
  return memory.getFinishedSpans();
}

async function exportAll(exporter: OTLPTraceExporter, spans: ReadableSpan[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  exporter.export(spans, ({ code, error }) => (code === 0 ? resolve() : reject(error)));
  await promise;
}
