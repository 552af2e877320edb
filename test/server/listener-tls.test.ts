import { afterEach, describe, expect, test } from "bun:test";
import { Client, credentials, status as grpcStatus } from "@grpc/grpc-js";
import { connect } from "node:net";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECK_INTERVAL_MS } from "../../src/adapters/listening/reloaded-files.ts";
import { readConfig } from "../../src/config/config.ts";
import { checkStart } from "../../src/server/check.ts";
import { type ListenerCertificates, openCertificates } from "../../src/server/listener-tls.ts";
import { CannotStartError, type RunningServer } from "../../src/server/server.ts";
import { countsOf } from "../support/fakes/problem-totals.ts";
import { callUnary, EXPORT_PATH } from "../support/grpc/grpc-call.ts";
import { HandMovedClock } from "../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { nextTurn } from "../support/running/searched-ring.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";

const root = temporaryFolder();
const CERTIFICATES = makeCertificates();
const { authority, server, renewed, client, expired, early } = CERTIFICATES;

const running: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop(0)));
});

function filesIn(name: string, certificate = server) {
  return certificateFiles(mkdtempSync(join(root, `${name}-`)), certificate, authority);
}

async function start(env: Record<string, string | undefined>, logger = new RecordingLogger()) {
  const started = await runServer(env as Record<string, string>, logger);
  running.push(started);
  return { ...started, logger };
}

const TRUSTING = { ca: authority.cert };
const KNOWN = { ...TRUSTING, cert: client.cert, key: client.key };

/** Resolves to the status of the answer, or to the code of the error. */
async function ask(url: string, init: BunFetchRequestInit): Promise<unknown> {
  return await fetch(url, { keepalive: false, ...init }).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`, { tls: KNOWN })).text();
}

const PROTOBUF = { "Content-Type": "application/x-protobuf" };

describe.each(["http", "api"] as const)("the %s listener", (listener) => {
  const prefix = { http: "OTLP_HTTP", api: "API" }[listener];
  const requests = {
    http: {
      path: "/v1/traces",
      init: { method: "POST", body: Buffer.from(requestOf(2)), headers: PROTOBUF },
    },
    api: { path: "/api/stats", init: {} },
  };
  const { path, init } = requests[listener];
  const urlOf = ({ ports }: RunningServer) => `https://localhost:${ports[listener]}${path}`;

  test("answers over TLS, and nothing without it", async () => {
    const started = await start(filesIn(listener).variables(prefix));

    const secure = await ask(urlOf(started), { ...init, tls: TRUSTING });
    const plain = await ask(urlOf(started).replace("https", "http"), init);

    expect(secure).toBe(200);
    expect(plain).not.toBe(200);
  });

  test("requires a certificate of the authority for clients", async () => {
    const started = await start(filesIn(listener).variables(prefix, true));

    const others = [{}, CERTIFICATES.stranger, expired].map(({ ...own }) => ({
      ...own,
      ...TRUSTING,
    }));
    const known = await ask(urlOf(started), { ...init, tls: KNOWN });
    const unknown = await Promise.all(others.map((tls) => ask(urlOf(started), { ...init, tls })));

    expect(known).toBe(200);
    expect(unknown.filter((answer) => typeof answer === "number")).toEqual([]);
  });

  test("uses changed files after a reload", async () => {
    const files = filesIn(listener);
    const started = await start(files.variables(prefix));
    files.put(CERTIFICATES.stranger);

    await started.reload();
    const answer = await ask(urlOf(started), { ...init, tls: TRUSTING });

    expect(answer).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(started.logger.lines).toContainEqual(
      expect.objectContaining({
        event: "tls_reloaded",
        fields: { listener, files: [`${prefix}_TLS_CERT_FILE`, `${prefix}_TLS_KEY_FILE`] },
      }),
    );
  });
});

test("the read API records failed handshakes, and refuses gRPC over TLS with a hint", async () => {
  const started = await start(filesIn("api").variables("API"));
  const url = `http://localhost:${started.ports.api}/api/stats`;
  const trusting = credentials.createSsl(Buffer.from(authority.cert));
  const calls = new Client(`localhost:${started.ports.api}`, trusting);

  await ask(url, {});
  const end = await callUnary(calls, EXPORT_PATH, requestOf(1));
  calls.close();

  expect(end).toMatchObject({ code: grpcStatus.UNIMPLEMENTED });
  expect(end.details).toContain("this port serves the read API");
  expect(countsOf({ totals: () => started.problems() })).toEqual({ plaintext: 1, otlp_on_api: 1 });
});

test("a stop does not wait for a handshake", async () => {
  const started = await start(filesIn("api").variables("API"));
  const silent = connect({ port: started.ports.api as number, host: "127.0.0.1" }).resume();
  await new Promise((resolve) => silent.once("connect", resolve));

  await started.stop(60_000);

  expect(await fetch(`http://127.0.0.1:${started.ports.api}/`).catch(() => "stopped")).toBe(
    "stopped",
  );
  silent.destroy();
});

test("a bad file at a reload is one line, and the old certificate stays", async () => {
  const files = filesIn("bad");
  const started = await start(files.variables("OTLP_HTTP"));
  writeFileSync(files.keyFile, renewed.key);

  await started.reload();
  await started.reload();
  const url = `https://localhost:${started.ports.http}/v1/traces`;
  const answer = await ask(url, { method: "POST", headers: PROTOBUF, tls: TRUSTING });

  expect(answer).toBe(200);
  expect(started.logger.lines.filter(({ event }) => event === "cannot_reload")).toMatchObject([
    { level: "warning", fields: { variable: "OTLP_HTTP_TLS_KEY_FILE", value: files.keyFile } },
  ]);
});

test("without the file of client authorities, waits go on and strangers are refused", async () => {
  const files = filesIn("lost");
  const started = await start(files.variables("API", true));
  const url = `https://localhost:${started.ports.api}`;
  const wait = ask(`${url}/api/wait?name=late&timeout=60s`, { tls: KNOWN });
  while (!(await metricsOf(url)).includes("spanring_waits 1")) await nextTurn();
  rmSync(files.caFile);

  await started.reload();
  const known = await ask(`${url}/api/stats`, { tls: KNOWN });
  const stranger = await ask(`${url}/api/stats`, { tls: TRUSTING });
  const isWaiting = (await metricsOf(url)).includes("spanring_waits 1");
  await started.stop(5_000);

  expect({ known, isWaiting }).toEqual({ known: 200, isWaiting: true });
  expect(started.logger.lines).toContainEqual(
    expect.objectContaining({
      event: "cannot_reload",
      fields: expect.objectContaining({ variable: "API_TLS_CLIENT_CA_FILE" }),
    }),
  );
  expect(stranger).toBeString();
  expect(await wait).toBe(503);
});

test("changed files are used without a signal, until they are no longer watched", async () => {
  const files = filesIn("watched");
  const reading = readConfig({ ...files.variables("API"), API_PORT: "0" });
  const { config } = reading as Extract<typeof reading, { ok: true }>;
  const [clock, logger] = [new HandMovedClock(), new RecordingLogger()];
  const opened = await openCertificates({ config, logger, clock });
  const { tls, close } = opened as ListenerCertificates;

  files.put(renewed);
  // Long ago, so that they are not taken for files that are being written.
  for (const path of [files.certFile, files.keyFile]) utimesSync(path, 0, 0);
  clock.moveMs(CHECK_INTERVAL_MS);
  while (logger.lines.length === 0) await Bun.sleep(1);
  close();

  expect(logger.lines).toMatchObject([{ event: "tls_reloaded", fields: { listener: "api" } }]);
  expect(String(tls.api?.material.cert)).toBe(renewed.cert);
  expect(clock.pendingActions).toBe(0);
});

test("a certificate that has expired is used, with a warning at each reading", async () => {
  const files = filesIn("expired", expired);
  const { logger, reload } = await start(files.variables("OTLP_GRPC"));
  files.put(early);

  await reload();

  const messages = logger.lines.filter(({ event }) => event === "configuration");
  expect(messages.map(({ fields }) => fields?.["message"])).toEqual([
    "the certificate has expired: it was valid until 2021-01-01T00:00:00.000Z; clients refuse it",
    "the certificate is not valid yet: it begins at 2048-01-01T00:00:00.000Z; clients refuse it",
  ]);
});

describe("a start and --check", () => {
  const wrong = [
    {
      name: "a missing certificate",
      change: { certFile: undefined },
      variable: "CERT_FILE",
      bound: "a readable file: no such file or folder",
    },
    {
      name: "a certificate that is not PEM",
      change: { certFile: "hello" },
      variable: "CERT_FILE",
      bound: "a file of a certificate in PEM, followed by those of its issuers",
    },
    {
      name: "the key of another certificate",
      change: { keyFile: renewed.key },
      variable: "KEY_FILE",
      bound: "the private key of API_TLS_CERT_FILE in PEM, without a passphrase",
    },
    {
      name: "a key that is not PEM",
      change: { keyFile: "hello" },
      variable: "KEY_FILE",
      bound: "the private key of API_TLS_CERT_FILE in PEM, without a passphrase",
    },
    {
      name: "authorities that are not PEM",
      change: { caFile: "hello" },
      variable: "CLIENT_CA_FILE",
      bound: "a file of certificates in PEM",
    },
    {
      name: "a key in place of authorities",
      change: { caFile: server.key },
      variable: "CLIENT_CA_FILE",
      bound: "a file of certificates in PEM",
    },
  ];

  test.each(wrong)("refuse $name", async ({ change, variable, bound }) => {
    const files = filesIn("wrong");
    for (const [name, content] of Object.entries(change)) {
      const path = files[name as "certFile" | "keyFile" | "caFile"];
      if (content === undefined) rmSync(path);
      else writeFileSync(path, content);
    }
    const env = files.variables("API", true) as Record<string, string>;
    const name = `API_TLS_${variable}`;
    const mistake = { variable: name, value: env[name] ?? "", bound };
    const reading = readConfig({ API_PORT: "0", ...env });
    const { config } = reading as Extract<typeof reading, { ok: true }>;
    const logger = new RecordingLogger();

    const checked = await checkStart({ config, version: "0.0.0" });
    const failure: unknown = await start(env, logger).catch((error: unknown) => error);

    expect(checked.mistakes).toEqual([mistake]);
    expect(failure).toBeInstanceOf(CannotStartError);
    expect(logger.lines).toMatchObject([{ event: "cannot_listen", fields: mistake }]);
  });

  test("--check warns of a certificate that has expired", async () => {
    const reading = readConfig({ ...filesIn("old", expired).variables("API"), API_PORT: "0" });
    const { config } = reading as Extract<typeof reading, { ok: true }>;

    const { mistakes, warnings } = await checkStart({ config, version: "0.0.0" });

    expect(mistakes).toEqual([]);
    expect(warnings).toMatchObject([{ variable: "API_TLS_CERT_FILE" }]);
  });
});

test("without certificates no file is watched, and a reload changes nothing", async () => {
  const { logger, reload } = await start({});

  await reload();

  expect(logger.lines.at(-1)).toMatchObject({ event: "reloaded" });
  const listening = logger.lines.find(({ event }) => event === "listening");
  expect(listening?.fields).not.toHaveProperty("tls");
});
