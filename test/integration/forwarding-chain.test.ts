import { beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRequests } from "../../src/adapters/otlp-files/read-requests.ts";
import type { Environment } from "../../src/config/config.ts";
import type { BufferStats, Ledger } from "../../src/domain/ledger.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { SPANS_OF_SCENE, sdkRequests } from "../support/sdk/sdk-requests.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { startTlsFront } from "../support/upstreams/tls-front.ts";
import { spanHashes } from "../support/oracles/walked-spans.ts";
import { ledgerWhen } from "../support/oracles/watched-ledger.ts";

// Goal: every byte of every span passes a chain of programs in order. Method: spans of the real SDK
// go through two programs into a file.
//
//     SPANRING_FUZZ_FACTOR=100 bun test test/integration/forwarding-chain.test.ts
//
// sends a million spans over each protocol.

const SCENES = fuzzRuns(625);
const SPANS = SCENES * SPANS_OF_SCENE;

/** One batch at a time keeps the order, and the ring has room for all spans. */
const SETTINGS: Environment = {
  FORWARD_CONCURRENCY: "1",
  FORWARD_MAX_DELAY_MS: "20",
  MAX_BUFFER_SIZE: String(SPANS),
  MAX_BUFFER_BYTES: "1GiB",
};

let requests: Uint8Array[];
let sent: string[];
beforeAll(async () => {
  requests = await sdkRequests(SCENES);
  sent = requests.flatMap(spanHashes);
});

const certificates = makeCertificates();
const folder = temporaryFolder();

function pemFile(name: string, pem: string): string {
  const path = join(folder, name);
  writeFileSync(path, pem);
  return path;
}

const TLS: Environment = {
  FORWARD_TLS_CA_FILE: pemFile("authority.pem", certificates.authority.cert),
};
const MUTUAL_TLS: Environment = {
  ...TLS,
  FORWARD_TLS_CERT_FILE: pemFile("client.pem", certificates.client.cert),
  FORWARD_TLS_KEY_FILE: pemFile("client-key.pem", certificates.client.key),
};

test.each([
  { way: "gRPC", scheme: "grpc", tls: undefined },
  { way: "gRPC with TLS", scheme: "grpcs", tls: TLS },
  { way: "gRPC with mutual TLS", scheme: "grpcs", tls: MUTUAL_TLS },
  { way: "HTTP", scheme: "http", tls: undefined },
  { way: "HTTP with TLS", scheme: "https", tls: TLS },
  { way: "HTTP with mutual TLS", scheme: "https", tls: MUTUAL_TLS },
])("every span of the SDK reaches the file in order over $way", async ({ way, scheme, tls }) => {
  const path = join(folder, `${way.replaceAll(" ", "-")}.binpb`);
  await using last = await startProgram({
    ...SETTINGS,
    FORWARD_ENDPOINT: `file://${path}`,
    FORWARD_FILE_MAX_BYTES: "10GiB",
  });
  const port = scheme.startsWith("grpc") ? last.grpcPort : last.httpPort;
  const asksForCertificate = tls === MUTUAL_TLS;
  await using front = await startTlsFront(port, certificates, { asksForCertificate });
  const endpoint = `${scheme}://127.0.0.1:${tls === undefined ? port : front.port}`;
  await using first = await startProgram({ ...SETTINGS, ...tls, FORWARD_ENDPOINT: endpoint });

  using client = openExportClient(first.grpcPort);
  for (const request of requests) await client.export(request);
  const ends = [await ledgerWhenAllAreSent(first), await ledgerWhenAllAreSent(last)];
  const written = await hashesInFile(path);

  for (const spans of ends) expect(spans).toMatchObject({ accepted: SPANS, delivered: SPANS });
  expect(written).toHaveLength(SPANS);
  expect(written.findIndex((hash, at) => hash !== sent[at])).toBe(-1);
});

test("no two spans of the SDK are equal", () => {
  expect(sent).toHaveLength(SPANS);
  expect(new Set(sent).size).toBe(SPANS);
});

async function ledgerWhenAllAreSent({ apiUrl }: RunningProgram): Promise<Ledger> {
  return (await ledgerWhen(readApiClient(apiUrl), areAllSent)).spans;
}

function areAllSent({ spans }: BufferStats): boolean {
  return spans.accepted >= SPANS && spans.buffered === 0;
}

async function hashesInFile(path: string): Promise<string[]> {
  const hashes: string[] = [];
  for await (const item of readRequests(Bun.file(path).stream())) {
    if (!("bytes" in item)) throw new Error(JSON.stringify(item));
    for (const hash of spanHashes(item.bytes)) hashes.push(hash);
  }
  return hashes;
}
