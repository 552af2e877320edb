import type { Problem } from "./problem.ts";

/**
 * Keeps web pages away from the API. There is no log-in, so a page that could send requests here
 * could read and take whatever the person at that browser can.
 *
 * - Browsers send `Origin` for a page of another origin, but only if the page could read the
 *   answer, or if the method is not GET. All other requests, such as `<img src=".../api/wait">`,
 *   are recognised by `Sec-Fetch-Site`. Browsers send it only to https and to this machine.
 * - A page whose own name points at this machine (DNS rebinding) is of the same origin, but has its
 *   name in `Host`: on a loopback address, only local names are accepted.
 *
 * One foreign request is accepted: a link to a trace, for example in a ticket, that a person
 * follows. The page with the link does not see the answer, a GET removes nothing, and each request
 * costs a click. What a page does by itself (frames, prefetching) lacks `Sec-Fetch-User`.
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

/** Reports whether only programs on this machine can connect to a listener on this host. */
export function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === "localhost" || /^(127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name);
}

/** Reports whether a page of another site sent the request. A typed URL has the value `none`. */
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
