import type { StartReceiver } from "../../../src/adapters/cli/command/command-run.ts";
import { LoggedBuffer } from "../../../src/application/ring/logged-buffer.ts";
import type { searchedRing } from "../running/searched-ring.ts";
import { exporterCounts } from "./exporter-counts.ts";
import { problemTotals } from "./problem-totals.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** Returns a receiver for `spanring run` that has these spans, and listens nowhere. */
export function fakeReceiver({
  buffer,
  arrivals,
}: Pick<ReturnType<typeof searchedRing>, "buffer" | "arrivals">): Awaited<
  ReturnType<StartReceiver>
> {
  return {
    ports: { grpc: 1, http: 2, api: 3 },
    buffer: new LoggedBuffer(buffer, new RecordingLogger()),
    arrivals,
    problems: () => problemTotals({}),
    exporters: () => exporterCounts(),
    stop: async () => {},
  };
}
