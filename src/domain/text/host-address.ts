/** Reports whether a host is this machine: a proxy would resolve the name to itself. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|::1|0\.0\.0\.0|::)$/.test(name);
}

/**
 * Returns a canonical spelling for comparison: `127.1` and `[::ffff:127.0.0.1]` mean `127.0.0.1`,
 * and a final dot does not matter. Does not look up names.
 */
export function plainHost(host: string): string {
  const name = withoutBrackets(host);
  const canonical = canonicalHost(name.includes(":") ? `[${name}]` : name) ?? name.toLowerCase();
  return withoutIpv6Prefix(withoutBrackets(canonical).replace(/\.$/, ""));
}

/**
 * Returns the host as in an HTTP URL, with IPv6 addresses in brackets, because URLs of other
 * schemes keep a host as it is written. Undefined for an invalid host.
 */
export function canonicalHost(host: string): string | undefined {
  return URL.parse(`http://${host}`)?.hostname;
}

/**
 * Turns `::ffff:7f00:1`, as the URL standard writes it, into 127.0.0.1. Source: RFC 4291, 2.5.5.2.
 */
function withoutIpv6Prefix(host: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const words = [high, low].map((word) => Number.parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]).join(".");
}

/** Returns the IPv6 address of a URL without brackets, as everything but URLs expects it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
