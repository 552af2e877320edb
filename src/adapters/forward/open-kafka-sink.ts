import type { ForwardConfig } from "../../config/config.ts";
import { assert } from "../../domain/assert.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { SpanSink } from "../../ports/span-sink.ts";
import { crc32c } from "./crc32c.ts";
import type { ForwardFiles } from "./forward-files.ts";
import type { KafkaClient } from "./kafka-client.js";
import { compressFast } from "./kafka-compression.ts";
import { KafkaSink } from "./kafka-sink.ts";
import { LateSink } from "./late-sink.ts";

interface KafkaOpening {
  readonly forward: ForwardConfig;
  readonly clock: TimerClock;
  /** Loads the Kafka client. Default: the one in the executable, at once. */
  readonly loadKafka?: () => Promise<KafkaClient>;
}

/** Returns a sink that loads the Kafka client for the first batch. */
export function openKafkaSink(parts: KafkaOpening, files: ForwardFiles): SpanSink {
  const { loadKafka = loadKafkaClient } = parts;
  return new LateSink(async () => makeKafkaSink(parts, files, await loadKafka()));
}

async function loadKafkaClient(): Promise<KafkaClient> {
  return await import("./kafka-client.js");
}

/** Long enough to say that the program is ready, and to answer those who wait for it. */
const LOAD_AFTER_MS = 250;

/** Loads the Kafka client after a pause: it blocks a receiver, whose start comes first. */
export async function loadKafkaLater(clock: TimerClock): Promise<KafkaClient> {
  await new Promise<void>((resolve) => void clock.timeout(LOAD_AFTER_MS, resolve));
  return await loadKafkaClient();
}

function makeKafkaSink(
  { forward, clock }: KafkaOpening,
  { headers, tls, sasl }: ForwardFiles,
  client: KafkaClient,
): SpanSink {
  const { endpoint, compression, timeoutMs, kafkaKey: key } = forward;
  assert(endpoint.protocol === "kafka", "only an endpoint of Kafka has this client");
  compressFast(client);
  // Small chunks, of which keyed messages have many, are faster to join than to add one by one.
  client.setCRC32C(({ buffers }) => crc32c([...client.joinSmallChunks(buffers)]));
  const secured = endpoint.isSecure ? tls : undefined;
  const parts = { client, endpoint, tls: secured, sasl, headers, compression, timeoutMs, clock };
  return new KafkaSink({ ...parts, key });
}
