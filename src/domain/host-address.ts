/** What is reached without leaving the machine. A proxy would look for it on its own. */
export function isLoopback(host: string): boolean {
  const name = withoutBrackets(host).toLowerCase();
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|::1|0\.0\.0\.0|::)$/.test(name);
}

/** An IPv6 address of a URL as everything but URLs has it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
