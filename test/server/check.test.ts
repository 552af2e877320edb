import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readConfig } from "../../src/config/config.ts";
import { checkStart } from "../../src/server/check.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const root = temporaryFolder();
const { authority, client, stranger } = makeCertificates();

const FREE = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };
const SECURE = { FORWARD_ENDPOINT: "grpcs://127.0.0.1:1" };

function fileOf(name: string, content: string): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

async function lookup(host: string): Promise<void> {
  if (host.endsWith(".invalid")) throw Object.assign(new Error("no"), { code: "ENOTFOUND" });
}

async function check(env: Record<string, string>, memoryLimitBytes?: number) {
  const reading = readConfig({ ...FREE, ...env });
  if (!reading.ok) throw new Error("the configuration is invalid");
  const parts = { config: reading.config, version: "0.0.0", lookup };
  return await checkStart({ ...parts, memoryLimitBytes: () => memoryLimitBytes });
}

test("a configuration that can start has neither mistakes nor warnings", async () => {
  const folder = mkdtempSync(join(root, "right-"));
  const checked = await check({
    ...SECURE,
    API_HOST: "localhost",
    DATA_DIR: join(folder, "data"),
    DURABILITY: "stop",
    FORWARD_HEADERS_FILE: fileOf("headers", "a=b\n"),
    FORWARD_TLS_CA_FILE: fileOf("ca.pem", authority.cert),
    FORWARD_TLS_CERT_FILE: fileOf("cert.pem", client.cert),
    FORWARD_TLS_KEY_FILE: fileOf("key.pem", client.key),
  });

  expect(checked).toEqual({ mistakes: [], warnings: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test.each(["OTLP_GRPC_HOST", "OTLP_HTTP_HOST", "API_HOST"])("%s must resolve", async (variable) => {
  const { mistakes } = await check({ [variable]: "nope.invalid", API_INSECURE: "true" });

  const bound = "an address of this machine, or a name that resolves to one";
  expect(mistakes).toEqual([{ variable, value: "nope.invalid", bound }]);
});

test("the host of a listener that is off need not resolve", async () => {
  const { mistakes } = await check({ API_HOST: "nope.invalid", API_PORT: "off" });

  expect(mistakes).toEqual([]);
});

const MISSING = join(root, "missing", "file");

test.each([
  { variable: "DATA_DIR", value: "/dev/null", reason: "a writable directory" },
  { variable: "DATA_DIR", value: "/dev/null/data", reason: "a writable directory" },
  { variable: "FORWARD_HEADERS_FILE", value: MISSING, reason: "no such file or folder" },
  { variable: "FORWARD_HEADERS_FILE", value: fileOf("junk", "\u0000"), reason: "name=value" },
  { variable: "FORWARD_TLS_CA_FILE", value: MISSING, reason: "no such file or folder" },
  { variable: "FORWARD_TLS_CA_FILE", value: fileOf("ca", "junk"), reason: "PEM" },
])("$variable=$value is a mistake: $reason", async ({ variable, value, reason }) => {
  const { mistakes } = await check({ ...SECURE, [variable]: value });

  expect(mistakes).toEqual([{ variable, value, bound: expect.stringContaining(reason) }]);
});

test.each(["", "new/data"])("a log can be in a writable directory: %j", async (path) => {
  const folder = mkdtempSync(join(root, "data-"));

  const checked = await check({ ...SECURE, DATA_DIR: join(folder, path) });

  expect(checked).toEqual({ mistakes: [], warnings: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test("the key must belong to the certificate", async () => {
  const { mistakes } = await check({
    ...SECURE,
    FORWARD_TLS_CERT_FILE: fileOf("client.pem", client.cert),
    FORWARD_TLS_KEY_FILE: fileOf("stranger.pem", stranger.key),
  });

  expect(mistakes).toMatchObject([{ variable: "FORWARD_TLS_KEY_FILE" }]);
});

test("all mistakes are found at once", async () => {
  const { mistakes } = await check({
    ...SECURE,
    API_HOST: "nope.invalid",
    API_INSECURE: "true",
    DATA_DIR: "/dev/null",
    FORWARD_HEADERS_FILE: MISSING,
  });

  expect(mistakes.map(({ variable }) => variable)).toEqual([
    "API_HOST",
    "DATA_DIR",
    "FORWARD_HEADERS_FILE",
  ]);
});

// None of these prevents a start: spans wait until the upstream is repaired.
test.each([
  {
    name: "an upstream that does not resolve",
    endpoint: "http://collector.invalid:4318",
    message:
      "collector.invalid does not resolve: unless a proxy resolves it, spans wait until it does",
  },
  {
    name: "a broker that does not resolve, beside one that does",
    endpoint: "kafka://one.invalid:9092,localhost:9092/spans",
    message: "one.invalid does not resolve: others are used",
  },
  {
    name: "the only broker, which does not resolve",
    endpoint: "kafka://one.invalid/spans",
    message: "one.invalid does not resolve: spans wait until it does",
  },
  {
    name: "a missing folder",
    endpoint: pathToFileURL(join(root, "missing", "spans.jsonl")).href,
    message: expect.stringMatching(/^spans wait until .*missing is writable: no such file/),
  },
  {
    name: "a folder that is a file",
    endpoint: pathToFileURL(join(fileOf("file", ""), "spans.jsonl")).href,
    message: expect.stringMatching(/^spans wait until .*file is writable: it is not a folder$/),
  },
])("FORWARD_ENDPOINT with $name causes a warning", async ({ endpoint, message }) => {
  expect(await check({ FORWARD_ENDPOINT: endpoint })).toEqual({
    mistakes: [],
    warnings: [{ variable: "FORWARD_ENDPOINT", message }],
  });
});

test("a writable file causes no warning and is not created", async () => {
  const folder = join(root, "forward");
  mkdirSync(folder);

  const checked = await check({ FORWARD_ENDPOINT: pathToFileURL(join(folder, "a.jsonl")).href });

  expect(checked).toEqual({ mistakes: [], warnings: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test("a memory limit that is too low causes a warning", async () => {
  const { mistakes, warnings } = await check({}, 2 ** 20);

  expect(mistakes).toEqual([]);
  expect(warnings).toMatchObject([{ variable: "MAX_BUFFER_BYTES" }]);
});
