import type { Buffer } from "node:buffer";

/** What a connection with TLS is made with; the system's authorities where there is no `ca`. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False takes any certificate for the upstream's. */
  readonly rejectUnauthorized: boolean;
}
