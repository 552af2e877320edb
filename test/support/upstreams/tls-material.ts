import { ServerTls, type TlsMaterial } from "../../../src/adapters/listening/server-tls.ts";
import type { Certificate, Certificates } from "./certificates.ts";

/** Returns the TLS of a listener; with `clientCa`, its clients need a certificate of it. */
export function serverTls(
  { cert, key }: Certificate,
  clientCa?: Certificates["authority"],
): ServerTls {
  return new ServerTls(tlsMaterial({ cert, key }, clientCa));
}

export function tlsMaterial({ cert, key }: Certificate, clientCa?: Certificate): TlsMaterial {
  return {
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    clientCa: clientCa && Buffer.from(clientCa.cert),
  };
}
