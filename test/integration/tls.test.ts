import { describe, expect, test } from "bun:test";
import { Client, credentials, status } from "@grpc/grpc-js";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { callUnary, EXPORT_PATH } from "../support/grpc/grpc-call.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { type Certificate, makeCertificates } from "../support/upstreams/certificates.ts";

// Goal: every listener of the program, as built, offers TLS as configured, to clients that others
// wrote. Method: `openssl s_client`, the SDK in Node, grpc-js and fetch; certificates of a private
// authority are made by the tests.

const root = temporaryFolder();
const CERTIFICATES = makeCertificates();
const { authority, server, renewed, client, stranger, expired } = CERTIFICATES;
const SDK = join(import.meta.dir, "../support/sdk/sdk-client.mjs");

const LISTENERS = ["OTLP_GRPC", "OTLP_HTTP", "API"];

function filesOf(certificate: Certificate = server) {
  return certificateFiles(mkdtempSync(join(root, "tls-")), certificate, authority);
}

function startSecurely(files = filesOf(), needsClientCertificate = false) {
  const variables = LISTENERS.map((each) => files.variables(each, needsClientCertificate));
  return startProgram(Object.assign({}, ...variables), { detached: true });
}

/** Returns the ports in the order of LISTENERS. */
function portsOf({ grpcPort, httpPort, apiUrl }: RunningProgram): number[] {
  return [grpcPort, httpPort, Number(new URL(apiUrl).port)];
}

function secure(url: string): string {
  return url.replace("http://127.0.0.1", "https://localhost");
}

const OPENSSL = Bun.which("openssl");
const OPENSSL_TESTS = 8;
if (OPENSSL === null) {
  notRun(OPENSSL_TESTS, "openssl is missing");
}

/** Connects with `openssl s_client`; resolves to what it prints, in both streams. */
async function handshake(port: number, args: readonly string[], sent = ""): Promise<string> {
  const command = [OPENSSL ?? "", "s_client", "-connect", `127.0.0.1:${port}`, ...args];
  const stdin = Buffer.from(sent);
  const child = Bun.spawn(command, { stdin, stdout: "pipe", stderr: "pipe" });
  return (await Promise.all([child.stdout.text(), child.stderr.text()])).join("\n");
}

const [caFile, clientFile] = ["ca.pem", "client.pem"].map((name) => join(root, name));
writeFileSync(caFile!, authority.cert);
writeFileSync(clientFile!, client.cert + client.key);
const TRUSTING = ["-CAfile", caFile!, "-servername", "localhost", "-verify_return_error"];

function clientArgs(own: Certificate | undefined): string[] {
  if (own === undefined) return [];
  const path = join(mkdtempSync(join(root, "client-")), "client.pem");
  writeFileSync(path, own.cert + own.key);
  return ["-cert", path, "-key", path];
}

const VERSIONS = [
  { version: "1.1", args: ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], isAccepted: false },
  { version: "1.2", args: ["-tls1_2"], isAccepted: true },
  { version: "1.3", args: ["-tls1_3"], isAccepted: true },
];

const CLIENTS = [
  { name: "a certificate of the authority", own: client, isAccepted: true },
  { name: "no certificate", own: undefined, isAccepted: false },
  { name: "a certificate of another authority", own: stranger, isAccepted: false },
  { name: "a certificate that has expired", own: expired, isAccepted: false },
];

describe.each(OPENSSL === null ? [] : [1])("openssl, at every listener", () => {
  test.each(VERSIONS)("TLS $version: $isAccepted", async ({ version, args, isAccepted }) => {
    await using program = await startSecurely();

    const shown = await Promise.all(
      portsOf(program).map((port) => handshake(port, [...TRUSTING, ...args])),
    );

    const isShown = shown.map((text) => text.includes(`New, TLSv${version}`));
    const areVerified = shown.map((text) => text.includes("Verify return code: 0 (ok)"));
    expect(isShown).toEqual([isAccepted, isAccepted, isAccepted]);
    expect(areVerified.every(Boolean)).toBe(true);
    expect(shown.filter((text) => text.includes("alert protocol version")).length).toBe(
      isAccepted ? 0 : 3,
    );
  });

  test("the protocols that each port speaks are negotiated", async () => {
    await using program = await startSecurely();
    const offers = ["-alpn", "h2,http/1.1"];

    const shown = await Promise.all(portsOf(program).map((port) => handshake(port, offers)));
    const [, http = ""] = await Promise.all(
      portsOf(program).map((port) => handshake(port, ["-alpn", "http/1.1"])),
    );

    expect(shown[0]).toContain("ALPN protocol: h2");
    expect(shown[1]).toContain("ALPN protocol: h2");
    expect(http).toContain("ALPN protocol: http/1.1");
  });

  test.each(CLIENTS)("a client with $name: $isAccepted", async ({ own, isAccepted }) => {
    await using program = await startSecurely(filesOf(), true);
    const versions = ["-tls1_2", "-tls1_3"];
    const args = [...TRUSTING, ...clientArgs(own), "-ign_eof"];
    const ask = (port: number) =>
      versions.map((version) => handshake(port, [...args, version], "GET / HTTP/1.0\r\n\r\n"));

    const shown = await Promise.all(portsOf(program).flatMap(ask));

    // Each port answers HTTP/1 at once, also that of gRPC; the read API with its page.
    const areAnswered = shown.map((text) => /HTTP\/1\.[01] [24]/.test(text));
    expect(areAnswered).toEqual(Array.from({ length: 6 }, () => isAccepted));
  });
});

const PROTOCOLS = ["grpc", "http/protobuf", "http/json"];

test.each(PROTOCOLS)(
  "the SDK in Node exports over %s with a private authority",
  async (protocol) => {
    await using program = await startSecurely(filesOf(), true);
    const isGrpc = protocol === "grpc";
    const url = isGrpc ? secure(program.grpcUrl) : `${secure(program.httpUrl)}/v1/traces`;
    const emit = async (env: Record<string, string>) => {
      const command = ["node", SDK, url, "gzip", protocol];
      const child = Bun.spawn(command, {
        env: { PATH: process.env["PATH"], ...env },
        stdout: "ignore",
        stderr: "ignore",
      });
      return await child.exited;
    };

    const trust = { OTEL_EXPORTER_OTLP_CERTIFICATE: caFile! };
    const trusting = await emit({
      ...trust,
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: clientFile!,
      OTEL_EXPORTER_OTLP_CLIENT_KEY: clientFile!,
    });
    const stats = await statsOf(program);
    const unknown = await emit({ ...trust, OTEL_EXPORTER_OTLP_TIMEOUT: "500" });

    expect(trusting).toBe(0);
    expect(stats).toMatchObject({ spans: { received: 16, rejected: 0 } });
    expect(unknown).not.toBe(0);
  },
);

async function statsOf(program: RunningProgram): Promise<unknown> {
  const url = `${secure(program.apiUrl)}/api/stats`;
  const tls = { ca: authority.cert, cert: client.cert, key: client.key };
  return await (await fetch(url, { tls })).json();
}

test("a reload under load loses no request, and changes the certificate", async () => {
  const files = filesOf();
  await using program = await startSecurely(files);
  const over = new AbortController();
  const ends = Promise.all([
    exportOverGrpc(program, over.signal, false),
    exportOverGrpc(program, over.signal, true),
    exportOverHttp(program, over.signal, true),
    exportOverHttp(program, over.signal, false),
    readOften(program, over.signal),
  ]);

  const subjects: unknown[] = [];
  for (const certificate of [renewed, server, renewed]) {
    files.put(certificate);
    process.kill(program.pid, "SIGHUP");
    const count = subjects.push(certificate === renewed ? "renewed" : "server");
    await reloads(program, count * LISTENERS.length);
    await Bun.sleep(0);
    for (const port of portsOf(program)) {
      while ((await subjectAt(port)) !== subjects.at(-1)) await Bun.sleep(20);
    }
  }
  over.abort();
  const faults = await ends;
  const stopped = await program.stop();

  expect(faults.flatMap((each) => each.faults)).toEqual([]);
  expect(faults.every(({ count }) => count > 3)).toBe(true);
  expect(stopped).toBe(0);
});

async function reloads(program: RunningProgram, count: number): Promise<void> {
  const isDone = () =>
    program.log().filter(({ event }) => event === "tls_reloaded").length >= count;
  while (!isDone()) await Bun.sleep(20);
}

async function subjectAt(port: number): Promise<unknown> {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: authority.cert });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

interface Load {
  readonly count: number;
  readonly faults: readonly unknown[];
}

/** Calls `request` again and again, and collects its faults. */
async function repeat(over: AbortSignal, request: () => Promise<unknown>): Promise<Load> {
  const faults: unknown[] = [];
  let count = 0;
  for (; !over.aborted; count += 1) {
    const fault = await request().catch((error: unknown) => String(error));
    if (fault !== undefined) faults.push(fault);
  }
  return { count, faults };
}

function openSecureClient({ grpcPort }: RunningProgram): Client {
  const trusting = credentials.createSsl(Buffer.from(authority.cert));
  return new Client(`localhost:${grpcPort}`, trusting, { "grpc.use_local_subchannel_pool": 1 });
}

async function exportOverGrpc(program: RunningProgram, over: AbortSignal, isNew: boolean) {
  const kept = openSecureClient(program);
  const load = await repeat(over, async () => {
    const calls = isNew ? openSecureClient(program) : kept;
    const { code, details } = await callUnary(calls, EXPORT_PATH, requestOf(1));
    if (isNew) calls.close();
    return code === status.OK ? undefined : details;
  });
  kept.close();
  return load;
}

async function exportOverHttp(program: RunningProgram, over: AbortSignal, keepalive: boolean) {
  const url = `${secure(program.httpUrl)}/v1/traces`;
  const headers = { "Content-Type": "application/x-protobuf" };
  const tls = { ca: authority.cert };
  return await repeat(over, async () => {
    const init = { method: "POST", body: requestOf(1), headers, keepalive, tls };
    const answer = await fetch(url, init);
    await answer.bytes();
    return answer.status === 200 ? undefined : answer.status;
  });
}

async function readOften(program: RunningProgram, over: AbortSignal) {
  const url = `${secure(program.apiUrl)}/api/stats`;
  const tls = { ca: authority.cert };
  return await repeat(over, async () => {
    const answer = await fetch(url, { keepalive: false, tls });
    await answer.bytes();
    return answer.status === 200 ? undefined : answer.status;
  });
}

test("plaintext and failed handshakes at the gRPC port are listed with a hint", async () => {
  await using program = await startSecurely();
  const plain = new Client(`127.0.0.1:${program.grpcPort}`, credentials.createInsecure());
  await callUnary(plain, EXPORT_PATH, requestOf(1), { deadlineMs: 2_000 });
  plain.close();

  const answer = await fetch(`${secure(program.apiUrl)}/api/problems`, {
    tls: { ca: authority.cert },
  });

  expect(await answer.text()).toContain("use https:// instead of http://");
});

test("--check names a key that does not match its certificate", async () => {
  const files = filesOf();
  writeFileSync(files.keyFile, renewed.key);

  const { exitCode, stderr } = await runProgram(["--check"], files.variables("OTLP_GRPC"));

  expect(exitCode).toBe(2);
  expect(stderr).toContain(
    `OTLP_GRPC_TLS_KEY_FILE="${files.keyFile}": must be the private key of OTLP_GRPC_TLS_CERT_FILE`,
  );
});
