import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer } from "../../src/server/server.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { secretFile } from "../support/running/token-files.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";

const root = temporaryFolder();

async function receiversOf({ ports }: RunningServer): Promise<unknown> {
  return await (await fetch(`http://127.0.0.1:${ports.api}/api/receivers`)).json();
}

test("the read API reports which listeners need TLS and certificates of clients", async () => {
  const { server: certificate, authority } = makeCertificates();
  const { variables } = certificateFiles(mkdtempSync(join(root, "tls-")), certificate, authority);
  const env = { ...variables("OTLP_GRPC"), ...variables("OTLP_HTTP", true) };
  const server = await runServer(env as Record<string, string>);

  const receivers = await receiversOf(server);
  await server.stop(0);

  const place = { host: "127.0.0.1", token: false, tls: true };
  expect(receivers).toEqual({
    grpc: { ...place, port: server.ports.grpc, client_certificate: false },
    http: { ...place, port: server.ports.http, client_certificate: true },
  });
});

test("the read API reports sockets and needed tokens, and no listener that is off", async () => {
  const host = `unix:${join(root, "spans.socket")}`;
  const server = await runServer({
    OTLP_GRPC_HOST: host,
    OTLP_HTTP_PORT: "off",
    OTLP_AUTH_TOKENS_FILE: secretFile("tokens", `${"a".repeat(64)}\n`),
  });

  const receivers = await receiversOf(server);
  await server.stop(0);

  expect(receivers).toEqual({
    grpc: { host, tls: false, client_certificate: false, token: true },
  });
});
