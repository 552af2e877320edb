import type {
  ExporterCounts,
  SignalCounts,
} from "../../../src/application/receiving/exporter-counts.ts";

interface Exported {
  readonly connections?: number;
  readonly grpc?: Partial<SignalCounts>;
  readonly http?: Partial<SignalCounts>;
}

const NONE: SignalCounts = { traces: 0, metrics: 0, logs: 0 };

/** Returns counts that are zero unless they are given. */
export function exporterCounts({ connections = 0, grpc, http }: Exported = {}): ExporterCounts {
  return {
    grpc: { connections, requests: { ...NONE, ...grpc } },
    http: { requests: { ...NONE, ...http } },
  };
}
