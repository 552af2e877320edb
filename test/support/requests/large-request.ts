import { requestOf } from "./request-bytes.ts";

/**
 * Returns a request of about 18 MB, more than sockets buffer between two ends, so a server has to
 * wait.
 */
export function largeRequest(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(Array<Uint8Array>(500).fill(requestOf(1000))));
}
