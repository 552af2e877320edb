import { expect, test } from "bun:test";
import { everySpan } from "../../src/domain/wire/request-spans.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { ledgerWhenEmpty, watchLedger } from "../support/oracles/watched-ledger.ts";
import { spanNumbers } from "../support/oracles/walked-spans.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: an outage that outlasts memory, but not the disk, loses no span.
// Method: send many times what memory holds while the upstream answers 503, kill the program in the
// middle, and compare every byte that arrives afterwards with what was sent.

const root = temporaryFolder();
const IN_MEMORY = 400;
const IN_REQUEST = 50;
const REQUESTS = fuzzRuns(80);
const ALL = REQUESTS * IN_REQUEST;
/** The spans of a batch, which is in memory while it is sent. */
const IN_BATCH = 100;

interface StoredUpstream extends AsyncDisposable {
  readonly endpoint: string;
  readonly received: Uint8Array[];
  isUp: boolean;
}

/** Starts an upstream that answers 503 until it is up, and then keeps what it receives. */
function startStoredUpstream(): StoredUpstream {
  const upstream = { received: [] as Uint8Array[], isUp: false };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = await request.bytes();
      if (!upstream.isUp) return new Response("down", { status: 503 });
      upstream.received.push(body);
      return new Response(undefined, { headers: { "Content-Type": "application/x-protobuf" } });
    },
  });
  return Object.assign(upstream, {
    endpoint: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: async () => await server.stop(true),
  });
}

/** Returns the SHA-256 of all spans in order, however they are divided into requests. */
function digestOf(requests: readonly Uint8Array[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const bytes of requests) {
    const table = everySpan({ bytes, offset: 0, length: bytes.length });
    for (let row = 0; row < table.spanCount; row += 1) {
      const at = table.spanOffset[row]!;
      hash.update(bytes.subarray(at, at + table.spanLength[row]!));
    }
  }
  return hash.digest("hex");
}

async function sendEach(
  { httpUrl }: RunningProgram,
  requests: readonly Uint8Array[],
): Promise<void> {
  const headers = { "Content-Type": "application/x-protobuf" };
  for (const body of requests) {
    const answer = await fetch(`${httpUrl}/v1/traces`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
  }
}

interface DiskStats {
  readonly spans: Record<string, number>;
  readonly sequence: { readonly first: number; readonly next: number };
  readonly disk: Record<"in_memory" | "only_on_disk", { readonly spans: number }>;
}

async function statsOf({ apiUrl }: RunningProgram): Promise<DiskStats> {
  return (await (await fetch(`${apiUrl}/api/stats`)).json()) as DiskStats;
}

test.each(["drop_oldest", "refuse"])(
  "an outage that outlasts memory loses no span, under %s, even with a kill in the middle",
  async (policy) => {
    await using upstream = startStoredUpstream();
    const env = {
      DATA_DIR: `${root}/${policy}`,
      MAX_BUFFER_SIZE: String(IN_MEMORY),
      OVERFLOW_POLICY: policy,
      FORWARD_ENDPOINT: upstream.endpoint,
      FORWARD_COMPRESSION: "none",
      FORWARD_CONCURRENCY: "1",
      FORWARD_BATCH_SPANS: String(IN_BATCH),
      FORWARD_RETRY_INITIAL_MS: "10",
      FORWARD_RETRY_MAX_MS: "50",
    };
    const sent = Array.from({ length: REQUESTS }, (_, index) =>
      requestOf(IN_REQUEST, 1 + index * IN_REQUEST),
    );
    const killed = await startProgram(env);
    await sendEach(killed, sent.slice(0, REQUESTS / 2));
    process.kill(killed.pid, "SIGKILL");
    await killed.exited;

    await using program = await startProgram(env);
    const api = readApiClient(program.apiUrl);
    const restored = await statsOf(program);
    const sending = sendEach(program, sent.slice(REQUESTS / 2));
    const filling = await watchLedger(api, sending);
    const full = await statsOf(program);
    const newest = await fetch(`${program.apiUrl}/api/spans?limit=1&order=oldest`);
    upstream.isUp = true;
    const draining = await watchLedger(api, ledgerWhenEmpty(api));
    const { spans } = await api.stats();

    expect(restored.spans).toEqual(
      ledgerOf({ received: ALL / 2, accepted: ALL / 2, buffered: ALL / 2 }),
    );
    expect(restored.disk.only_on_disk.spans).toBeGreaterThanOrEqual(ALL / 2 - IN_MEMORY - IN_BATCH);
    expect(full.spans).toEqual(ledgerOf({ received: ALL, accepted: ALL, buffered: ALL }));
    const { in_memory, only_on_disk } = full.disk;
    expect(in_memory.spans + only_on_disk.spans).toBe(ALL);
    expect(only_on_disk.spans).toBeGreaterThan(ALL / 2);
    expect(full.sequence).toEqual({ ...full.sequence, first: ALL - IN_MEMORY + 1, next: ALL + 1 });
    expect(newest.headers.get("Spanring-First-Sequence")).toBe(String(ALL - IN_MEMORY + 1));
    expect([...filling.unbalanced, ...draining.unbalanced]).toEqual([]);
    expect(spans).toEqual(ledgerOf({ received: ALL, accepted: ALL, delivered: ALL }));
    expect(upstream.received.flatMap(spanNumbers)).toEqual(
      Array.from({ length: ALL }, (_, index) => index + 1),
    );
    expect(digestOf(upstream.received)).toBe(digestOf(sent));
  },
);
