import { expect, test } from "bun:test";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { startKafkaBroker } from "../support/upstreams/kafka-broker.ts";

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
