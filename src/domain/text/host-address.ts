/** What is reached without leaving the machine. A proxy would look for it on its own. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|::1|0\.0\.0\.0|::)$/.test(name);
}

/**
 * One spelling of a host, to compare it by: `127.1` and `[::ffff:127.0.0.1]` lead to the same place
 * as `127.0.0.1`, and a name is the same with a dot at its end. Not looked up.
 */
export function plainHost(host: string): string {
  const name = withoutBrackets(host);
  const canonical = canonicalHost(name.includes(":") ? `[${name}]` : name) ?? name.toLowerCase();
  return withoutIpv6Prefix(withoutBrackets(canonical).replace(/\.$/, ""));
}

/**
 * As a URL of HTTP has it, IPv6 addresses in brackets; other schemes leave a host as it is written.
 * Undefined when it can be none.
 */
export function canonicalHost(host: string): string | undefined {
  return URL.parse(`http://${host}`)?.hostname;
}

/** Source: RFC 4291, 2.5.5.2, as the URL standard writes it: `::ffff:7f00:1` is 127.0.0.1. */
function withoutIpv6Prefix(host: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const words = [high, low].map((word) => Number.parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]).join(".");
}

/** An IPv6 address of a URL as everything but URLs has it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
