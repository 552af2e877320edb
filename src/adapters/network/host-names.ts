import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";

/** Looks up a host; rejects when it has no address. */
export type Lookup = (host: string) => Promise<unknown>;

/**
 * Rejects with the code `ENOTFOUND` when a host is neither an address nor a name that resolves. For
 * such a name, a listener of the runtime reports the error of its last system call instead
 * (`test/quirks/bun.test.ts`).
 */
export async function requireResolvable(
  host: string,
  lookup: Lookup = systemLookup,
): Promise<void> {
  if (isIP(host) !== 0) return;
  await lookup(host).catch((error: { code?: unknown }) => {
    throw Object.assign(new Error(`${String(error.code)}: ${host}`), { code: "ENOTFOUND" });
  });
}
