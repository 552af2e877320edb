import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { difference, spanDigests } from "../support/oracles/span-digests.ts";
import { balances, ledgerWhenEmpty } from "../support/oracles/watched-ledger.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { requestsOf } from "../support/requests/numbered-requests.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import { HAS_OLD_KAFKA, startOldKafka } from "../support/upstreams/kafka/old-kafka.ts";
import { HAS_KAFKA, messagesOf, startKafka } from "../support/upstreams/kafka/real-kafka.ts";
import { CAN_MOUNT, mountSmallDisk } from "../support/running/small-disk.ts";

// Goal: spans stay in the ring while a broker is too old or has a full disk. Method: old versions
// of Apache Kafka, and a broker on a small file system. `bun run kafka` fetches and runs all.

const IS_LONG = fuzzRuns(1) > 1;
const OLD = IS_LONG && HAS_OLD_KAFKA ? ["Apache Kafka of old"] : [];
const SMALL = IS_LONG && HAS_KAFKA && CAN_MOUNT ? ["a small disk"] : [];

if (OLD.length + SMALL.length < 2) {
  const left = 2 * (1 - OLD.length) + (1 - SMALL.length);
  notRun(left, "bun run kafka runs them, as root");
}

async function start(address: string, topic: string): Promise<RunningProgram> {
  return await startProgram({
    FORWARD_ENDPOINT: `kafka://${address}/${topic}`,
    FORWARD_COMPRESSION: "none",
    FORWARD_MAX_DELAY_MS: "20",
    FORWARD_RETRY_INITIAL_MS: "50",
    FORWARD_RETRY_MAX_MS: "500",
    FORWARD_TIMEOUT_MS: "2000",
    MAX_BUFFER_SIZE: "2000000",
    MAX_BUFFER_BYTES: "1GiB",
  });
}

async function exportAll(program: RunningProgram, requests: Iterable<Uint8Array>): Promise<void> {
  using client = openExportClient(program.grpcPort);
  for (const each of requests) await client.export(each);
}

describe.each(OLD)("%s", () => {
  test("accepts spans in version 1.0", async () => {
    await using broker = await startOldKafka("oldest", temporaryFolder());
    await broker.createTopic("spans");
    await using program = await start(broker.address, "spans");
    const requests = [requestOf(300), requestOf(300, 301)];

    await exportAll(program, requests);
    const { spans } = await ledgerWhenEmpty(readApiClient(program.apiUrl));

    const messages = await messagesOf([broker.address], "spans");
    expect(spans).toMatchObject({ delivered: 600, undeliverable: 0 });
    expect(spanDigests(messages.map(({ value }) => value))).toEqual(spanDigests(requests));
  });

  test("is refused with a reason in version 0.10, and the spans stay", async () => {
    await using broker = await startOldKafka("too-old", temporaryFolder());
    await using program = await start(broker.address, "spans");

    await exportAll(program, [requestOf(3)]);
    const line = await program.logged("forward_blocked");
    const { spans } = await readApiClient(program.apiUrl).stats();

    expect(line).toMatchObject({
      error: expect.stringContaining("UNSUPPORTED_VERSION (topic spans)"),
      hint: "the broker must be Apache Kafka 1.0 or later",
    });
    expect(spans).toMatchObject({ buffered: 3, delivered: 0, undeliverable: 0 });
  });
});

const DISK_MIB = { small: 24, large: 256 };
const SPANS = 100_000;

describe.each(SMALL)("on %s", () => {
  test("a broker fails when it is full, and has all spans once it has room again", async () => {
    const folder = temporaryFolder();
    await using disk = await mountSmallDisk(join(folder, "disk"), DISK_MIB.small);
    const { server: certificate } = makeCertificates();
    await using cluster = await startKafka({ folder, brokers: 1, certificate, disk });
    await cluster.createTopic("full", 1);
    await using program = await start(cluster.plain[0]!, "full");
    const api = readApiClient(program.apiUrl);
    const requests = requestsOf(SPANS);

    await exportAll(program, requests);
    await cluster.ended(0);
    const full = await api.stats();
    disk.resize(DISK_MIB.large);
    await cluster.restart(0);
    const stats = await ledgerWhenEmpty(api);

    const [sent, arrived] = [requests, (await cluster.messages("full")).map((m) => m.value)].map(
      spanDigests,
    ) as [string[], string[]];
    const { retried_spans: retried } = (stats as { forward?: { retried_spans: number } }).forward!;
    expect(balances(full.spans)).toBeTrue();
    expect(full.spans).toMatchObject({ accepted: SPANS, undeliverable: 0, evicted: 0 });
    expect(full.spans.buffered).toBeGreaterThan(0);
    expect(stats.spans).toMatchObject({ delivered: SPANS, undeliverable: 0, evicted: 0 });
    expect(difference(sent, arrived)).toEqual({ missing: 0, foreign: 0 });
    expect(arrived.length - sent.length).toBeLessThanOrEqual(retried);
  });
});
