import { signal } from "@preact/signals";
import { addStats, NO_HISTORY, type StatsHistory } from "../model/stats-history.ts";
import type { Stats } from "../model/stats.ts";
import { needsToken, requestJson } from "./api.ts";
import { usePolling } from "./polling.ts";

const PERIOD_MS = 1000;

/** The counts of the buffer since the page was opened. Every view adds to them. */
export const statsHistory = signal<StatsHistory>(NO_HISTORY);

/** Reads the counts every second while the page is shown. */
export function useStatsFeed(): void {
  usePolling(readStats, PERIOD_MS, undefined);
}

async function readStats(): Promise<void> {
  // The view in front asks for the token; a request without one would be refused each time.
  if (needsToken.value) return;
  statsHistory.value = addStats(statsHistory.value, await requestJson<Stats>("/api/stats"));
}
