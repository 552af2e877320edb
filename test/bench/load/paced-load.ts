import { type ExportClient, openExportClient } from "../../support/running/export-client.ts";
import { numberedRequests } from "./numbered-requests.ts";

const SPANS_A_REQUEST = 100;

/** What a load of a fixed rate has seen. */
export interface PacedResult {
  readonly spansPerSecond: number;
  /** The durations of the requests in milliseconds, sorted. */
  readonly requestMs: Float64Array;
}

/**
 * Sends spans at a rate until `ended` settles. A request begins when it is due, even if the one
 * before is not answered, so that a slow receiver cannot hide its delays.
 */
export async function pacedLoad(
  port: number,
  spansPerSecond: number,
  ended: Promise<unknown>,
): Promise<PacedResult> {
  using client = openExportClient(port);
  const state = { isOver: false };
  void ended.finally(() => (state.isOver = true)).catch(() => {});
  const beganMs = performance.now();
  const pending: Promise<number>[] = [];
  const periodMs = (SPANS_A_REQUEST / spansPerSecond) * 1000;
  for (const request of numberedRequests(SPANS_A_REQUEST, Infinity)) {
    const dueMs = beganMs + pending.length * periodMs;
    await Bun.sleep(Math.max(0, dueMs - performance.now()));
    if (state.isOver) break;
    // A copy, because the next request is written into the same bytes.
    pending.push(timed(client, request.slice(), dueMs));
  }
  const requestMs = Float64Array.from(await Promise.all(pending)).toSorted();
  const seconds = (performance.now() - beganMs) / 1000;
  return { spansPerSecond: (requestMs.length * SPANS_A_REQUEST) / seconds, requestMs };
}

async function timed(client: ExportClient, request: Uint8Array, dueMs: number): Promise<number> {
  await client.export(request);
  return performance.now() - dueMs;
}
