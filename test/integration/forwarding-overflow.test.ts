import { expect, test } from "bun:test";
import type { Ledger, ServiceStats } from "../../src/domain/ledger.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { request, resourceSpans, span } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { startUpstream } from "../support/upstreams/running-upstream.ts";
import { balances, ledgerWhenEmpty, watchLedger } from "../support/oracles/watched-ledger.ts";

// Goal: the losses of an outage are counted exactly, for each service. Method: ten times the
// capacity arrives while the upstream fails, and readers take some spans; then the upstream
// recovers and rejects a few.

const CAPACITY = 1_000;
const REQUESTS = 500;
const SPANS_OF_REQUEST = 20;
const SPANS = REQUESTS * SPANS_OF_REQUEST;
const SERVICES = ["shop", "bank", "mail"] as const;

/** Returns a request of two services, so that their shares in the overflow differ. */
function requestAt(index: number): Uint8Array {
  const first = index * SPANS_OF_REQUEST + 1;
  const spans = Array.from({ length: SPANS_OF_REQUEST }, (_, offset) => span(first + offset));
  const [one, other] = [SERVICES[index % 3]!, SERVICES[(index >> 3) % 3]!];
  return request(resourceSpans(one, ...spans.slice(0, 7)), resourceSpans(other, ...spans.slice(7)));
}

const ENTRIES = [
  "received",
  "rejected",
  "accepted",
  "buffered",
  "taken",
  "delivered",
  "evicted",
  "undeliverable",
] as const satisfies readonly (keyof Ledger)[];

test.each([
  { protocol: "grpc", unavailable: 14 },
  { protocol: "http", unavailable: 503 },
] as const)("over $protocol the ledgers account for ten times the capacity", async (given) => {
  await using upstream = await startUpstream(given.protocol);
  await using program = await startProgram({
    MAX_BUFFER_SIZE: String(CAPACITY),
    FORWARD_ENDPOINT: upstream.endpoint,
    FORWARD_BATCH_SPANS: "100",
    FORWARD_MAX_DELAY_MS: "0",
    FORWARD_RETRY_INITIAL_MS: "1",
    FORWARD_RETRY_MAX_MS: "20",
  });
  using client = openExportClient(program.grpcPort);
  const api = readApiClient(program.apiUrl);
  const services = async () => {
    const answer = await fetch(`${program.apiUrl}/api/services`);
    return ((await answer.json()) as { services: ServiceStats[] }).services;
  };
  const serviceReadings: ServiceStats[] = [];
  const overflow = async (): Promise<void> => {
    for (let index = 0; index < REQUESTS; index += 1) {
      await client.export(requestAt(index));
      if (index % 10 === 0) await api.takeAsBytes(3);
      if (index % 10 === 5) serviceReadings.push(...(await services()));
    }
  };

  await upstream.order({ usual: { kind: "fail", code: given.unavailable } });
  const { unbalanced } = await watchLedger(api, overflow());
  const during = await api.stats();
  await upstream.order({
    usual: { kind: "accept" },
    // After many failures, the first batch is small.
    next: [{ kind: "reject", rejectedSpans: 10 }, { kind: "accept" }],
  });
  const { spans, bytes } = await ledgerWhenEmpty(api);
  const last = await services();
  const accepted = await upstream.acceptedSpans();

  expect(unbalanced).toEqual([]);
  expect(
    serviceReadings.filter((stats) => !balances(stats.spans) || !balances(stats.bytes)),
  ).toEqual([]);
  expect(during.spans).toMatchObject({ accepted: SPANS, delivered: 0, undeliverable: 0 });
  expect(during.spans.evicted).toBeGreaterThan(SPANS - 2 * CAPACITY);
  expect(spans.undeliverable).toBe(10);
  expect(spans.delivered + 10 + spans.taken + spans.evicted).toBe(SPANS);
  expect(new Set(accepted).size).toBe(accepted.length);
  expect(accepted).toHaveLength(spans.delivered);
  expect(last.map(({ service }) => service).toSorted()).toEqual([...SERVICES].toSorted());
  expect(sumOf(last.map((stats) => stats.spans))).toEqual(sumOf([spans]));
  expect(sumOf(last.map((stats) => stats.bytes))).toEqual(sumOf([bytes]));
});

function sumOf(ledgers: readonly Ledger[]): number[] {
  return ENTRIES.map((entry) => ledgers.reduce((sum, ledger) => sum + ledger[entry], 0));
}
