import type { Problem } from "./problem.ts";

/**
 * Keeps pages in a browser away from the API. There is no log-in, so a page that could send
 * requests here would read what the person at that browser may read, and take it.
 *
 * - A page of another origin says so in `Origin`.
 * - A page whose own name was pointed at this machine (DNS rebinding) is of the same origin, but
 *   gives itself away by its name in `Host`: on a loopback address only local names are right.
 */
export function checkBrowser(headers: Headers, isLoopbackOnly: boolean): Problem | undefined {
  const host = hostOf(headers.get("host") ?? "");
  const origin = headers.get("origin");
  if (isLoopbackOnly && headers.has("host") && !isLoopbackName(host?.hostname ?? "")) {
    return { status: 403, detail: "Host must be localhost or a loopback address" };
  }
  if (origin !== null && !isSameHost(URL.parse(origin), host)) {
    return { status: 403, detail: "requests from pages of another origin are refused" };
  }
  return undefined;
}

/** Whether only programs on this machine can connect to what listens there. */
export function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === "localhost" || /^(127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name);
}

function isSameHost(one: URL | null, other: URL | null): boolean {
  return one !== null && one.host === other?.host;
}

function hostOf(header: string): URL | null {
  return URL.parse(`http://${header}`);
}
