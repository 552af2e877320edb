import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../../src/config/config.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { certificateFiles } from "../../../support/upstreams/certificate-files.ts";
import { type Certificate, makeCertificates } from "../../../support/upstreams/certificates.ts";

const folder = temporaryFolder();
const { authority, server, misnamed } = makeCertificates();

const ready = () => Response.json({ status: "ready" });

function startSecurely(own: Certificate, clients: object) {
  const { cert, key } = own;
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert, key, ...clients },
    fetch: ready,
  });
}

function healthcheck(env: Environment) {
  return runCommands(["healthcheck"], { env });
}

const NEEDS_CERTIFICATE = { ca: authority.cert, requestCert: true, rejectUnauthorized: true };

test.each([
  { name: "a certificate for another name", own: misnamed, clients: {}, needsOne: false },
  { name: "clients with certificates", own: server, clients: NEEDS_CERTIFICATE, needsOne: true },
])("an API with $name is reached", async ({ own, clients, needsOne }) => {
  await using api = startSecurely(own, clients);
  const files = certificateFiles(mkdtempSync(join(folder, "tls-")), own, authority);

  const end = await healthcheck({ API_PORT: `${api.port}`, ...files.variables("API", needsOne) });

  expect(end).toMatchObject({ exitCode: 0, stdout: "ready\n", stderr: "" });
});

test("an API whose clients need a certificate is not reached without one", async () => {
  await using api = startSecurely(server, NEEDS_CERTIFICATE);
  const files = certificateFiles(mkdtempSync(join(folder, "tls-")), server, authority);

  const end = await healthcheck({ API_PORT: `${api.port}`, ...files.variables("API") });

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
});

test("a certificate that cannot be read is reported", async () => {
  const files = certificateFiles(mkdtempSync(join(folder, "tls-")), server, authority);
  const env = { ...files.variables("API", true), API_TLS_KEY_FILE: join(folder, "missing") };

  const end = await healthcheck(env);

  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain("the certificate cannot be read: ");
});
