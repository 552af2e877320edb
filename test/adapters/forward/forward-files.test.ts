import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readForwardFiles } from "../../../src/adapters/forward/forward-files.ts";
import type { Environment } from "../../../src/config/config.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";
import { forwardConfig } from "../../support/fakes/forward-config.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const { authority, client, stranger } = makeCertificates();

function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const CA = fileOf("ca.pem", authority.cert);
const CERT = fileOf("cert.pem", client.cert);
const KEY = fileOf("key.pem", client.key);
const OTHER_KEY = fileOf("other-key.pem", stranger.key);
const JUNK = fileOf("junk.pem", "hunter2");
const NOWHERE = join(folder, "nowhere");

const read = (env: Environment) =>
  readForwardFiles(forwardConfig({ FORWARD_ENDPOINT: "grpcs://up", ...env }));

test("the contents of the files are read, with the configured headers first", async () => {
  const files = await read({
    FORWARD_HEADERS: "a=1",
    FORWARD_HEADERS_FILE: fileOf("headers", "b=2\nauthorization=Bearer%20hunter2\n"),
    FORWARD_TLS_CA_FILE: CA,
    FORWARD_TLS_CERT_FILE: CERT,
    FORWARD_TLS_KEY_FILE: KEY,
  });

  expect(files).toEqual({
    headers: [
      ["a", "1"],
      ["b", "2"],
      ["authorization", "Bearer hunter2"],
    ],
    tls: {
      ca: Buffer.from(authority.cert),
      cert: Buffer.from(client.cert),
      key: Buffer.from(client.key),
      rejectUnauthorized: true,
    },
  });
});

test("without files, only the check of certificates is configured", async () => {
  expect(await read({})).toEqual({ headers: [], tls: { rejectUnauthorized: true } });
  expect(await read({ FORWARD_TLS_INSECURE: "true" })).toEqual({
    headers: [],
    tls: { rejectUnauthorized: false },
  });
});

const PAIR = { FORWARD_TLS_CERT_FILE: CERT, FORWARD_TLS_KEY_FILE: KEY };

test.each<{ name: string; env: Environment; mistakes: object[] }>([
  {
    name: "an invalid file of headers",
    env: { FORWARD_HEADERS_FILE: JUNK },
    mistakes: [
      {
        variable: "FORWARD_HEADERS_FILE",
        value: JUNK,
        bound: "a file with one name=value per line, values percent-encoded",
      },
    ],
  },
  // TLS accepts a key in place of authorities, and then trusts no certificate.
  ...[JUNK, KEY].map((value) => ({
    name: "a file without authorities",
    env: { FORWARD_TLS_CA_FILE: value },
    mistakes: [{ variable: "FORWARD_TLS_CA_FILE", value, bound: "a PEM file of certificates" }],
  })),
  {
    name: "an invalid certificate",
    env: { ...PAIR, FORWARD_TLS_CERT_FILE: JUNK },
    mistakes: [
      { variable: "FORWARD_TLS_CERT_FILE", value: JUNK, bound: "a PEM file with a certificate" },
    ],
  },
  ...[JUNK, OTHER_KEY].map((key) => ({
    name: "a key that does not match the certificate",
    env: { ...PAIR, FORWARD_TLS_KEY_FILE: key },
    mistakes: [
      {
        variable: "FORWARD_TLS_KEY_FILE",
        value: key,
        bound: "the private key of FORWARD_TLS_CERT_FILE in PEM, without a passphrase",
      },
    ],
  })),
  {
    name: "every mistake at once",
    env: {
      FORWARD_HEADERS_FILE: JUNK,
      FORWARD_TLS_CA_FILE: NOWHERE,
      FORWARD_TLS_CERT_FILE: folder,
      FORWARD_TLS_KEY_FILE: KEY,
    },
    mistakes: [
      expect.objectContaining({ variable: "FORWARD_HEADERS_FILE" }),
      {
        variable: "FORWARD_TLS_CA_FILE",
        value: NOWHERE,
        bound: "a readable file: no such file or folder",
      },
      {
        variable: "FORWARD_TLS_CERT_FILE",
        value: folder,
        bound: "a readable file: it is not a regular file",
      },
    ],
  },
])("$name: reported without the contents of the file", async ({ env, mistakes }) => {
  const files = await read(env);

  expect(files).toEqual({ mistakes } as never);
  expect(JSON.stringify(files)).not.toContain("hunter2");
});

const kafka = (env: Environment) =>
  readForwardFiles(forwardConfig({ FORWARD_ENDPOINT: "kafkas://up/spans", ...env }));

test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
  "%s takes the user name and the password from their files",
  async (mechanism) => {
    const files = await kafka({
      FORWARD_SASL_MECHANISM: mechanism,
      FORWARD_SASL_USERNAME_FILE: fileOf("user", "edge\n"),
      FORWARD_SASL_PASSWORD_FILE: fileOf("password", " hunter2 \r\n"),
    });

    expect(files).toMatchObject({ sasl: { mechanism, username: "edge", password: " hunter2 " } });
  },
);

test("OAUTHBEARER takes the token from its file", async () => {
  const path = fileOf("token", "ey.J9");
  const files = await kafka({
    FORWARD_SASL_MECHANISM: "OAUTHBEARER",
    FORWARD_SASL_TOKEN_FILE: path,
  });

  expect(files).toMatchObject({ sasl: { mechanism: "OAUTHBEARER", token: "ey.J9" } });
});

test.each([
  { name: "an empty file", content: "\n" },
  { name: "a file with two lines", content: "hunter2\nhunter3\n" },
])("$name holds no password, and the mistake does not show it", async ({ content }) => {
  const path = fileOf("bad-password", content);
  const files = await kafka({
    FORWARD_SASL_MECHANISM: "PLAIN",
    FORWARD_SASL_USERNAME_FILE: NOWHERE,
    FORWARD_SASL_PASSWORD_FILE: path,
  });

  expect(files).toEqual({
    mistakes: [
      {
        variable: "FORWARD_SASL_USERNAME_FILE",
        value: NOWHERE,
        bound: "a readable file: no such file or folder",
      },
      { variable: "FORWARD_SASL_PASSWORD_FILE", value: path, bound: "a file with one line" },
    ],
  });
});
