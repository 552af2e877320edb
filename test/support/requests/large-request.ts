import { requestOf } from "./request-bytes.ts";

/** About 18 MB: more than lies in the sockets between two ends, so that a server has to wait. */
export function largeRequest(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(Array<Uint8Array>(500).fill(requestOf(1000))));
}
