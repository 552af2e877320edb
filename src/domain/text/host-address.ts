/** Reports whether a host is this machine. A proxy would resolve such a name to itself. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|::1|0\.0\.0\.0|::)$/.test(name);
}

/** Reports whether only programs on this machine can reach a listener on this host. */
export function isLoopbackListener(host: string): boolean {
  const isUnix = socketPathOf(host) !== undefined;
  return isUnix || /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(plainHost(host));
}

/**
 * Returns a canonical spelling for comparison: `127.1` and `[::ffff:127.0.0.1]` mean `127.0.0.1`,
 * and a trailing dot is ignored. It does no name lookups.
 */
export function plainHost(host: string): string {
  const name = withoutBrackets(host);
  const canonical = canonicalHost(name.includes(":") ? `[${name}]` : name) ?? name.toLowerCase();
  return withoutIpv6Prefix(withoutBrackets(canonical).replace(/\.$/, ""));
}

/**
 * Returns the host as in an HTTP URL, with IPv6 addresses in brackets, because URLs of other
 * schemes leave the host unchanged. Undefined for an invalid host.
 */
export function canonicalHost(host: string): string | undefined {
  return URL.parse(`http://${host}`)?.hostname;
}

/**
 * Converts `::ffff:7f00:1`, which is how the URL standard writes it, to 127.0.0.1. Source: RFC
 * 4291, 2.5.5.2.
 */
function withoutIpv6Prefix(host: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const words = [high, low].map((word) => Number.parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]).join(".");
}

/** Returns the host of a URL without the brackets around an IPv6 address, which only URLs use. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** The most bytes that the path of a Unix socket may have. Source: unix(7). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Returns the path of a Unix socket, written `unix:/PATH`; undefined for another host. */
export function socketPathOf(host: string): string | undefined {
  return SOCKET_ADDRESS.exec(host)?.groups?.["path"];
}

/** Matches `unix:///PATH` as well, as gRPC does. */
const SOCKET_ADDRESS = /^unix:(?:\/\/)?(?<path>\/[^/][^]*)$/;

/** Reports whether a text is `unix:/PATH`, and the path is not too long for the system. */
export function isSocketAddress(text: string): boolean {
  const path = socketPathOf(text);
  if (path === undefined || /\p{Cc}/u.test(path) || path.endsWith("/")) return false;
  return new TextEncoder().encode(path).length <= MAX_SOCKET_PATH_BYTES;
}
