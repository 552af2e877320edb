import { requestJson } from "../client/api.ts";
import { advance, type TraceFeed, type TracesBody } from "../model/trace-feed.ts";

/** How many traces one request asks for. */
const PAGE_TRACES = 200;

/** Reads what has arrived since. After a restart of spanring, starts again. */
export async function readOn(feed: TraceFeed, query: string): Promise<TraceFeed> {
  const parameters = new URLSearchParams(query);
  parameters.set("limit", String(PAGE_TRACES));
  if (feed.after !== undefined) parameters.set("after", feed.after);
  const body = await requestJson<TracesBody>(`/api/traces?${parameters}`);
  return advance(feed, body);
}
