import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import * as client from "../../../src/adapters/forward/kafka-client.js";
import { KafkaSink, type KafkaSinkParts } from "../../../src/adapters/forward/kafka-sink.ts";
import type { SinkAndUpstream, UpstreamAnswer } from "../../contract/span-sink.ts";
import { type BrokerScript, type KafkaBroker, startKafkaBroker } from "./kafka-broker.ts";

export const TOPIC = "spans";

/** Returns the parts of a sink for a broker on this port. */
export function kafkaParts(port: number): KafkaSinkParts {
  const brokers = [{ host: "127.0.0.1", port }] as const;
  return {
    client,
    endpoint: { protocol: "kafka", brokers, topic: TOPIC, isSecure: false },
    tls: undefined,
    sasl: undefined,
    headers: [],
    key: "none",
    compression: "gzip",
    timeoutMs: 60_000,
    clock: SYSTEM_CLOCK,
  };
}

/** Returns a sink, and a broker that accepts every batch or answers none. */
export async function kafkaSinkAndUpstream(answer: UpstreamAnswer): Promise<SinkAndUpstream> {
  const script: BrokerScript = answer.kind === "silent" ? { produce: () => undefined } : {};
  let broker = await startKafkaBroker(script);
  const { port } = broker;
  const all: KafkaBroker[] = [broker];
  const timeoutMs = (answer.kind === "silent" ? answer.timeoutMs : undefined) ?? PATIENCE_MS;
  return {
    sink: new KafkaSink({ ...kafkaParts(port), timeoutMs }),
    received: async () => all.flatMap(({ messages }) => messages.map(({ value }) => value)),
    arrived: (count) => broker.arrivals.reached(count),
    goAway: () => broker.stop(),
    comeBack: async () => {
      broker = await startKafkaBroker(script, port);
      all.push(broker);
    },
    stop: () => broker.stop(),
  };
}

/** Long enough for a busy machine, and short because a lost broker is awaited as long. */
const PATIENCE_MS = 2_000;
