import type { ForwardConfig } from "../../config/config.ts";
import { assert } from "../../domain/assert.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { SpanSink } from "../../ports/span-sink.ts";
import type { ForwardFiles } from "./forward-files.ts";
import type { KafkaClient } from "./kafka-client.js";
import { compressFast } from "./kafka-compression.ts";
import { KafkaSink } from "./kafka-sink.ts";
import { LateSink } from "./late-sink.ts";

interface KafkaOpening {
  readonly forward: ForwardConfig;
  readonly clock: TimerClock;
  /** Loads the client of Kafka. Default: the one in the executable, after a pause. */
  readonly loadKafka?: () => Promise<KafkaClient>;
}

/** Returns a sink that loads the client of Kafka for the first batch. */
export function openKafkaSink(parts: KafkaOpening, files: ForwardFiles): SpanSink {
  const { clock, loadKafka = () => loadKafkaClient(clock) } = parts;
  return new LateSink(async () => makeKafkaSink(parts, files, await loadKafka()));
}

/** Long enough to say that the program is ready, and to answer those who wait for it. */
const LOAD_AFTER_MS = 250;

/** Loading blocks the program, so what is going on at a start comes first. */
async function loadKafkaClient(clock: TimerClock): Promise<KafkaClient> {
  await new Promise<void>((resolve) => void clock.timeout(LOAD_AFTER_MS, resolve));
  return await import("./kafka-client.js");
}

function makeKafkaSink(
  { forward, clock }: KafkaOpening,
  { headers, tls, sasl }: ForwardFiles,
  client: KafkaClient,
): SpanSink {
  const { endpoint, compression, timeoutMs, kafkaKey: key } = forward;
  assert(endpoint.protocol === "kafka", "only an endpoint of Kafka has this client");
  compressFast(client);
  const secured = endpoint.isSecure ? tls : undefined;
  const parts = { client, endpoint, tls: secured, sasl, headers, compression, timeoutMs, clock };
  return new KafkaSink({ ...parts, key });
}
