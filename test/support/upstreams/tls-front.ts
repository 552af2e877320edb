import { connect } from "node:net";
import { createServer } from "node:tls";
import type { Certificates } from "./certificates.ts";

export interface TlsFront extends AsyncDisposable {
  readonly port: number;
}

/** Speaks TLS to clients on 127.0.0.1, and plaintext to the port behind it. */
export async function startTlsFront(
  behind: number,
  { authority, server: own }: Certificates,
  options: { readonly asksForCertificate: boolean },
): Promise<TlsFront> {
  const { asksForCertificate: requestCert } = options;
  const server = createServer({
    ...own,
    ca: authority.cert,
    requestCert,
    rejectUnauthorized: requestCert,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  server.on("secureConnection", (client) => {
    const upstream = connect(behind, "127.0.0.1");
    client.pipe(upstream).pipe(client);
    for (const end of [client, upstream]) end.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
