import { UNKEPT_SIGNALS } from "../../application/unkept-signals.ts";
import type { Objection, Unread } from "../otlp/status-table.ts";

/** What is wrong with a request by its headers alone. */
export type WrongRequest = Exclude<Objection, { readonly outcome: "busy" }>;

/** Answered with 4xx by their headers alone, since the start. */
export interface WrongCounts {
  readonly wrongRequests: Record<WrongRequest["outcome"], number>;
  /** Of these, the POSTs that were not for metrics or logs: they may have brought spans. */
  readonly unreadPosts: Record<Unread, number>;
}

export function noWrongCounts(): WrongCounts {
  return {
    wrongRequests: { unknown_path: 0, wrong_method: 0, unsupported_media: 0 },
    unreadPosts: { unknown_path: 0, unsupported_media: 0 },
  };
}

export function countWrong(
  { wrongRequests, unreadPosts }: WrongCounts,
  { outcome }: WrongRequest,
  request: Request,
): void {
  wrongRequests[outcome] += 1;
  if (outcome !== "wrong_method" && mayHaveSpans(request)) unreadPosts[outcome] += 1;
}

/** By the end of its path: exporters put `/v1/traces` behind whatever they are given, or do not. */
function mayHaveSpans({ method, url }: Request): boolean {
  const path = pathOf(url);
  return method === "POST" && !UNKEPT_SIGNALS.some((signal) => path.endsWith(`/v1/${signal}`));
}

/** A client of HTTP/1.0 may leave out Host, and then the URL is only a path. */
export function pathOf(url: string): string {
  const begin = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", begin);
  return end < 0 ? url.slice(begin) : url.slice(begin, end);
}
