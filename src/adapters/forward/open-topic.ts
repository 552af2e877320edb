import { assert } from "../../domain/assert.ts";
import type { ForwardConfig, Mistake } from "../../config/config.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { TopicSource } from "../../ports/topic-source.ts";
import { secretsOf } from "./concealing-sink.ts";
import { readForwardFiles, saslSecrets } from "./forward-files.ts";
import { KafkaTopic } from "./kafka-topic.ts";

export type TopicOpening =
  | { readonly ok: true; readonly source: TopicSource }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Opens the topic to which these settings would forward. It connects when it is read. */
export async function openTopic(
  forward: ForwardConfig,
  clock: SleepingClock,
): Promise<TopicOpening> {
  const { endpoint, timeoutMs } = forward;
  assert(endpoint.protocol === "kafka", "only Kafka has topics");
  const files = await readForwardFiles(forward);
  if ("mistakes" in files) return { ok: false, mistakes: files.mistakes };
  const client = await import("./kafka-client.js");
  const tls = endpoint.isSecure ? files.tls : undefined;
  const secrets = secretsOf(saslSecrets(files));
  const parts = { client, endpoint, tls, sasl: files.sasl, secrets, timeoutMs, clock };
  return { ok: true, source: new KafkaTopic(parts) };
}
