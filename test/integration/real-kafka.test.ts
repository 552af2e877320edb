import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BufferStats } from "../../src/domain/ledger.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { exportUntil } from "../support/running/export-until.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { difference, spanDigests } from "../support/oracles/span-digests.ts";
import { ledgerWhen, ledgerWhenEmpty, watchLedger } from "../support/oracles/watched-ledger.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";
import { lengthDelimited } from "../support/requests/byte-chunks.ts";
import { requestsOf, tracesOf } from "../support/requests/numbered-requests.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  span,
} from "../support/requests/request-bytes.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import {
  HAS_KAFKA,
  type KafkaCluster,
  startKafka,
  tokenOf,
  USER,
} from "../support/upstreams/kafka/real-kafka.ts";

// Goal: spans reach Apache Kafka unchanged, each once unless it is counted as retried, and wait in
// the ring for as long as it does not accept them. Method: one broker in a process of its own. With
// `bun run kafka`, there are three, whose leader is killed ten times, and a million spans, twice.

const FACTOR = fuzzRuns(1);
const BROKERS = FACTOR > 1 ? 3 : 1;
const KILLS = FACTOR > 1 ? 10 : 1;
const TESTS = 17;

if (!HAS_KAFKA) notRun(TESTS, "Kafka is missing; see scripts/setup.sh");

const folder = temporaryFolder();
const { authority, server } = makeCertificates();

let cluster: KafkaCluster;

beforeAll(async () => {
  if (HAS_KAFKA) cluster = await startKafka({ folder, brokers: BROKERS, certificate: server });
});

afterAll(async () => {
  if (HAS_KAFKA) await cluster[Symbol.asyncDispose]();
});

if (HAS_KAFKA) allTests();

const SETTINGS = {
  MAX_BUFFER_SIZE: "2000000",
  MAX_BUFFER_BYTES: "1GiB",
  FORWARD_MAX_DELAY_MS: "20",
  FORWARD_RETRY_INITIAL_MS: "50",
  FORWARD_RETRY_MAX_MS: "500",
};

async function start(topic: string, env: Record<string, string> = {}): Promise<RunningProgram> {
  const FORWARD_ENDPOINT = `kafka://${cluster.plain.join(",")}/${topic}`;
  return await startProgram({ ...SETTINGS, FORWARD_ENDPOINT, ...env });
}

function fileOf(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function exportAll(program: RunningProgram, requests: Iterable<Uint8Array>): Promise<void> {
  using client = openExportClient(program.grpcPort);
  for (const each of requests) await client.export(each);
}

async function delivered(program: RunningProgram): Promise<BufferStats> {
  return await ledgerWhenEmpty(readApiClient(program.apiUrl));
}

async function valuesIn(topic: string): Promise<Uint8Array[]> {
  return (await cluster.messages(topic)).map(({ value }) => value);
}

const SPANS = FACTOR * 20_000;

function allTests(): void {
  test("every span arrives once, with its bytes unchanged", async () => {
    await cluster.createTopic("many", 4);
    await using program = await start("many");
    const requests = requestsOf(SPANS);

    await exportAll(program, requests);
    const { spans } = await delivered(program);

    expect(spans).toMatchObject({ delivered: SPANS, undeliverable: 0, evicted: 0 });
    const printed = await cluster.printed("many");
    const [sent, arrived] = [spanDigests(requests), spanDigests(printed.map((m) => m.value))];
    expect(difference(sent, arrived)).toEqual({ missing: 0, foreign: 0 });
    expect(arrived).toHaveLength(SPANS);
  });

  test.each(["none", "gzip", "snappy", "lz4", "zstd"])("a consumer can read %s", async (chosen) => {
    await cluster.createTopic(`with-${chosen}`, 1);
    await using program = await start(`with-${chosen}`, {
      FORWARD_COMPRESSION: chosen,
      FORWARD_HEADERS: "tenant=a%20b",
    });
    const requests = requestsOf(1_000);

    await exportAll(program, requests);
    await delivered(program);

    const messages = await cluster.messages(`with-${chosen}`);
    expect(spanDigests(messages.map(({ value }) => value))).toEqual(spanDigests(requests));
    const headers = messages.flatMap((message) => [...message.headers].map(String));
    expect(new Set(headers)).toEqual(new Set(["tenant,a b"]));
  });

  test("with trace_id as the key, no trace is on two partitions", async () => {
    await cluster.createTopic("traces", 4);
    await using program = await start("traces", { FORWARD_KAFKA_KEY: "trace_id" });
    const parts = Math.floor(SPANS / 3_000);
    const requests = Array.from({ length: parts }, (_, at) => tracesOf(1_000, 3, 1 + at * 3_000));

    await exportAll(program, requests);
    const { spans } = await delivered(program);

    const messages = await cluster.printed("traces");
    const partitions = Map.groupBy(messages, ({ key }) => key);
    const places = [...partitions.values()].map((found) => new Set(found.map((m) => m.partition)));
    expect(spans).toMatchObject({ delivered: requests.length * 3_000, undeliverable: 0 });
    expect(partitions.size).toBe(1_000);
    expect(places.filter(({ size }) => size !== 1)).toEqual([]);
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(4);
    const [sent, arrived] = [spanDigests(requests), spanDigests(messages.map((m) => m.value))];
    expect(difference(sent, arrived)).toEqual({ missing: 0, foreign: 0 });
    expect(arrived).toHaveLength(sent.length);
  });

  test("with service as the key, each message has the spans of one service", async () => {
    await cluster.createTopic("services", 4);
    await using program = await start("services", { FORWARD_KAFKA_KEY: "service" });
    const requests = requestsOf(4_000);

    await exportAll(program, requests);
    await delivered(program);

    const messages = await cluster.messages("services");
    const keys = new Set(messages.map(({ key }) => String(key)));
    expect(keys).toEqual(new Set(Array.from({ length: 7 }, (_, at) => `service ${at}`)));
    expect(spanDigests(messages.map(({ value }) => value))).toEqual(spanDigests(requests));
  });

  test("spans wait for a topic until someone creates it", async () => {
    await using program = await start("late");
    const line = await program.logged("forward_blocked");
    await exportAll(program, [requestOf(3)]);
    const waiting = await readApiClient(program.apiUrl).stats();

    await cluster.createTopic("late", 1);
    await delivered(program);

    expect(line["hint"]).toBe("create the topic, or check its name in FORWARD_ENDPOINT");
    expect(waiting.spans).toMatchObject({ buffered: 3, delivered: 0 });
    expect(spanDigests(await valuesIn("late"))).toEqual(spanDigests([requestOf(3)]));
  });

  test("spans go over TLS to a broker with the right certificate", async () => {
    await cluster.createTopic("secure", 1);
    await using program = await start("secure", {
      FORWARD_ENDPOINT: `kafkas://${cluster.secure[0]}/secure`,
      FORWARD_TLS_CA_FILE: fileOf("ca.pem", authority.cert),
    });

    await exportAll(program, [requestOf(3)]);
    const { spans } = await delivered(program);

    expect(spans).toMatchObject({ delivered: 3 });
  });

  test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])(
    "%s lets in the right user, and keeps the spans of a wrong one",
    async (mechanism) => {
      const topic = `login-${mechanism}`;
      await cluster.createTopic(topic, 1);
      const secret = fileOf(`secret-${mechanism}`, "wrong-guess");
      const files =
        mechanism === "OAUTHBEARER"
          ? { FORWARD_SASL_TOKEN_FILE: secret }
          : {
              FORWARD_SASL_USERNAME_FILE: fileOf("user", USER.name),
              FORWARD_SASL_PASSWORD_FILE: secret,
            };
      await using program = await start(topic, {
        ...files,
        FORWARD_ENDPOINT: `kafka://${cluster.login[0]}/${topic}`,
        FORWARD_SASL_MECHANISM: mechanism,
      });
      await exportAll(program, [requestOf(3)]);
      const line = await program.logged("forward_blocked");
      const waiting = await readApiClient(program.apiUrl).stats();

      writeFileSync(secret, mechanism === "OAUTHBEARER" ? tokenOf(USER.name) : USER.password);
      await delivered(program);

      expect(waiting.spans).toMatchObject({ buffered: 3, delivered: 0 });
      expect(line["hint"]).toContain("FORWARD_SASL_");
      expect(JSON.stringify(program.log())).not.toContain("wrong-guess");
      expect(JSON.stringify(program.log())).not.toContain(USER.password);
    },
  );

  test("batches that a topic finds too large are halved, down to one span", async () => {
    await cluster.createTopic("small", 1, { "max.message.bytes": "20000" });
    await using program = await start("small", { FORWARD_COMPRESSION: "none" });
    const requests = requestsOf(1_000);
    const large = span(9_999, bytesField(9, attribute("note", "x".repeat(30_000))));

    await exportAll(program, [...requests, request(resourceSpans("shop", large))]);
    const { spans } = await delivered(program);

    expect(spans).toMatchObject({ delivered: 1_000, undeliverable: 1 });
    expect(spanDigests(await valuesIn("small"))).toEqual(spanDigests(requests));
  });

  test("send puts files in a topic, and its messages in a spanring, with a password", async () => {
    await cluster.createTopic("files", 2);
    await using local = await startProgram({ MAX_BUFFER_BYTES: "1GiB" });
    const requests = requestsOf(2_000);
    const secret = fileOf("secret-files", "wrong-guess");
    const topic = `kafka://${cluster.login[0]}/files`;
    const env = {
      FORWARD_SASL_MECHANISM: "SCRAM-SHA-512",
      FORWARD_SASL_USERNAME_FILE: fileOf("user", USER.name),
      FORWARD_SASL_PASSWORD_FILE: secret,
    };
    const put = async (compression: string, ...some: Uint8Array[]) => {
      const path = fileOf(`${compression}.binpb`, lengthDelimited(...some));
      const given = { ...env, FORWARD_COMPRESSION: compression };
      return await runProgram(["send", "--to", topic, path], given);
    };
    const wrong = await put("none");
    writeFileSync(secret, USER.password);

    const algorithms = ["gzip", "snappy", "lz4", "zstd"];
    const puts = await Promise.all(algorithms.map((name, at) => put(name, requests[at]!)));
    const command = ["send", "--from", topic, "--since", "10m", "--to", local.httpUrl];
    const got = await runProgram(command, env);

    expect(wrong.stderr).toStartWith(`spanring: cannot send to ${topic}: SASL_AUTHENTICATION_FAI`);
    expect([wrong, ...puts, got].map(({ exitCode }) => exitCode)).toEqual([3, 0, 0, 0, 0, 0]);
    expect(got.stdout).toStartWith("sent 2,000 spans in 4 requests");
    const arrived = await readApiClient(local.apiUrl).spansAsBytes(2_000);
    for (const found of [await valuesIn("files"), [arrived]]) {
      expect(spanDigests(found)).toEqual(spanDigests(requests));
    }
  });

  test("no span is lost when brokers are killed, and repeated ones are counted", async () => {
    // A broker that is alone in sync, and killed, would take what it has acknowledged with it.
    await cluster.createTopic("killed", 3, { "min.insync.replicas": BROKERS > 1 ? "2" : "1" });
    await using program = await start("killed", { FORWARD_TIMEOUT_MS: "2000" });
    const api = readApiClient(program.apiUrl);
    const state = { isOver: false };
    const sending = exportUntil(program.grpcPort, state);
    const watching = watchLedger(api, sending);

    for (let round = 0; round < KILLS; round += 1) {
      const before = (await api.stats()).spans.delivered;
      await ledgerWhen(api, ({ spans }) => spans.delivered > before);
      const leader = await cluster.leaderOf("killed");
      await cluster.kill(leader);
      await Bun.sleep(1_000);
      await cluster.restart(leader);
    }
    state.isOver = true;
    const { unbalanced, readings } = await watching;
    const stats = await delivered(program);

    const sent = spanDigests(await sending);
    const arrived = spanDigests(await valuesIn("killed"));
    const { retried_spans: retried } = (stats as { forward?: { retried_spans: number } }).forward!;
    expect(unbalanced).toEqual([]);
    expect(readings).toBeGreaterThan(1);
    expect(stats.spans).toMatchObject({ delivered: sent.length, undeliverable: 0, evicted: 0 });
    expect(difference(sent, arrived)).toEqual({ missing: 0, foreign: 0 });
    expect(arrived.length - sent.length).toBeLessThanOrEqual(retried);
  });
}
