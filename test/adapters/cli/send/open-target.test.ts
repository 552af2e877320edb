import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { SYSTEM_CLOCK } from "../../../../src/adapters/clock/system-clock.ts";
import { openSpanSink } from "../../../../src/adapters/forward/open-sink.ts";
import { SILENT_LOGGER } from "../../../../src/adapters/logging/silent-logger.ts";
import type { ForwardConfig } from "../../../../src/config/config.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { startKafkaBroker } from "../../../support/upstreams/kafka-broker.ts";
import { base64, filesIn, LINES } from "../../../support/upstreams/sending.ts";

const file = filesIn(temporaryFolder());
const JSONL = file("spans.jsonl", LINES.join("\n"));

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Opens a sink as the program does. */
const openSink = (forward: ForwardConfig) =>
  openSpanSink({
    forward,
    version: "1.2.3",
    nowMs: Date.now,
    clock: SYSTEM_CLOCK,
    logger: SILENT_LOGGER,
  });

test("files reach a topic with the configured key, and connections are closed", async () => {
  const broker = await startKafkaBroker({ partitions: 2 });
  ends.push(() => broker.stop());
  const to = `kafka://127.0.0.1:${broker.port}/spans`;

  const end = await runCommands(["send", "--to", to, JSONL], {
    env: { FORWARD_KAFKA_KEY: "service", FORWARD_HEADERS: "tenant=a" },
    openSink,
  });

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 6 spans in 3 requests");
  expect(broker.messages).toHaveLength(3);
  const [{ key, headers }] = broker.messages as [(typeof broker.messages)[number]];
  expect({ key, headers }).toEqual({ key: "shop", headers: [["tenant", "a"]] });
  expect(new Set(base64(broker.messages.map(({ value }) => value))).size).toBe(3);
  await Promise.all([...broker.sockets].map((socket) => once(socket, "close")));
});

test.each([
  { option: "--token-file", instead: "FORWARD_SASL_*" },
  { option: "--ca", instead: "FORWARD_TLS_CA_FILE" },
])("$option is refused for Kafka, with the variable to set", async ({ option, instead }) => {
  const end = await runCommands(["send", "--to", "kafka://broker/spans", option, JSONL, JSONL]);

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toBe(`spanring: ${option} is for OTLP/HTTP; for Kafka, set ${instead}\n`);
});

test("an unreadable file is reported before a broker is asked", async () => {
  const end = await runCommands(["send", "--to", "kafka://broker/spans", "nowhere.jsonl"]);

  expect(end).toMatchObject({ exitCode: 2 });
  expect(end.stderr).toContain('cannot read "nowhere.jsonl"');
});
