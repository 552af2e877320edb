import type { Problem } from "./problem.ts";

/**
 * Keeps pages in a browser away from the API. There is no log-in, so a page that could send
 * requests here would read what the person at that browser may read, and take it.
 *
 * - A page of another origin says so in `Origin`, but only where it could read the answer, or where
 *   the method is not GET. Of all else, such as `<img src=".../api/wait">`, `Sec-Fetch-Site` tells.
 *   Browsers send it to trustworthy addresses only: to https, and to those of this machine.
 * - A page whose own name was pointed at this machine (DNS rebinding) is of the same origin, but
 *   gives itself away by its name in `Host`: on a loopback address only local names are right.
 *
 * One thing from elsewhere is let in: a link to a trace, in a ticket say, that a person followed.
 * The page that has it sees nothing of the answer, a GET takes nothing out, and it costs a click
 * each time. What a page does by itself (frames, prefetching, moving on) has no `Sec-Fetch-User`.
 *
 * Source: W3C, "Fetch Metadata Request Headers".
 */
export function checkBrowser(
  { method, headers }: Pick<Request, "method" | "headers">,
  isLoopbackOnly: boolean,
): Problem | undefined {
  const host = hostOf(headers.get("host") ?? "");
  const origin = headers.get("origin");
  if (isLoopbackOnly && headers.has("host") && !isLoopbackName(host?.hostname ?? "")) {
    return { status: 403, detail: "Host must be localhost or a loopback address" };
  }
  const isForeign = origin !== null && !isSameHost(URL.parse(origin), host);
  if (isForeign || (isFromElsewhere(headers) && !isFollowedLink(method, headers))) {
    return { status: 403, detail: "requests from pages of another origin are refused" };
  }
  return undefined;
}

/** Whether only programs on this machine can connect to what listens there. */
export function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === "localhost" || /^(127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name);
}

/** `none`: a person typed the address. Programs send no such header. */
function isFromElsewhere(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site") ?? "none";
  return site !== "none" && site !== "same-origin";
}

function isFollowedLink(method: string, headers: Headers): boolean {
  const isPage = headers.get("sec-fetch-dest") === "document";
  const isNavigation = isPage && headers.get("sec-fetch-mode") === "navigate";
  return method === "GET" && isNavigation && headers.get("sec-fetch-user") === "?1";
}

function isSameHost(one: URL | null, other: URL | null): boolean {
  return one !== null && one.host === other?.host;
}

function hostOf(header: string): URL | null {
  return URL.parse(`http://${header}`);
}
