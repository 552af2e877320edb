import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { COMMAND, runProgram, startProgram } from "../support/running/running-program.ts";
import { startKafkaBroker } from "../support/upstreams/kafka-broker.ts";
import { type KafkaLog, logPartition } from "../support/upstreams/kafka-log.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { ledgerWhen } from "../support/oracles/watched-ledger.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { linesOf } from "../../src/adapters/cli/api/ask-api.ts";

// Goal: the executable holds the client of Kafka, and says at the start what is missing. Method: a
// broker that speaks the oldest versions of the protocol.

test("the program forwards to Kafka", async () => {
  const broker = await startKafkaBroker({});
  const FORWARD_ENDPOINT = `kafka://127.0.0.1:${broker.port}/spans`;
  await using program = await startProgram({ FORWARD_ENDPOINT, FORWARD_MAX_DELAY_MS: "0" });
  using client = openExportClient(program.grpcPort);
  const request = requestOf(3);

  await client.export(request);
  await broker.arrivals.reached(1);

  expect(broker.messages.map(({ value }) => value)).toEqual([new Uint8Array(request)]);
  expect(await program.stop()).toBe(0);
  await broker.stop();
});

test("a missing topic shows before any span arrives, and a stop is not delayed by it", async () => {
  const broker = await startKafkaBroker({ topicError: () => 3 });
  const FORWARD_ENDPOINT = `kafka://127.0.0.1:${broker.port}/spans`;
  await using program = await startProgram({ FORWARD_ENDPOINT, SHUTDOWN_GRACE_MS: "3600000" });

  const line = await program.logged("forward_blocked");
  const ready = await (await fetch(`${program.apiUrl}/readyz`)).json();

  expect(line).toMatchObject({
    error: expect.stringContaining("UNKNOWN_TOPIC_OR_PARTITION (topic spans)"),
    hint: "create the topic, or check its name in FORWARD_ENDPOINT",
  });
  expect(ready).toMatchObject({
    forward: { state: "blocked", last_error: { hint: line["hint"] } },
  });
  expect(await program.stop()).toBe(0);
  await broker.stop();
});

test("send puts a file in a topic", async () => {
  const broker = await startKafkaBroker({});
  const path = join(temporaryFolder(), "spans.bin");
  writeFileSync(path, requestOf(3));

  const to = `kafka://127.0.0.1:${broker.port}/spans`;
  const end = await runProgram(["send", "--to", to, path], { FORWARD_HEADERS: "tenant=a" });

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(broker.messages).toMatchObject([
    { value: new Uint8Array(requestOf(3)), headers: [["tenant", "a"]] },
  ]);
  await broker.stop();
});

test("send passes new messages of a topic on until Ctrl-C, and counts what arrived", async () => {
  const old = { value: requestOf(1), unixMs: Date.now() };
  const log: KafkaLog = { partitions: [logPartition([old])] };
  const broker = await startKafkaBroker({ log });
  await using program = await startProgram();
  const from = `kafka://127.0.0.1:${broker.port}/spans`;
  const command = [...COMMAND, "send", "--from", from, "--to", program.httpUrl];
  await using sending = Bun.spawn(command, { env: {}, stdout: "pipe", stderr: "pipe" });
  const lines = linesOf(sending.stderr);

  const { value: line } = await lines.next();
  log.partitions[0]!.messages.push({ value: requestOf(3, 10), unixMs: Date.now() });
  await ledgerWhen(readApiClient(program.apiUrl), ({ spans }) => spans.buffered > 0);
  sending.kill("SIGINT");

  expect(line).toBe(`spanring: reading ${from} until Ctrl-C`);
  expect(await sending.exited).toBe(0);
  expect(await sending.stdout.text()).toStartWith("sent 3 spans in 1 request ");
  await broker.stop();
});
