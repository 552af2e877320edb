import type { KafkaEndpoint } from "../../config/config.ts";
import type { SaslCredentials, TlsMaterial } from "./forward-files.ts";
import type { Client, ClientOptions, KafkaClient } from "./kafka-client.js";

/** Says how to reach the brokers of a topic. */
export interface BrokerAccess {
  /** The client library, which is loaded only for an endpoint of Kafka. */
  readonly client: KafkaClient;
  readonly endpoint: KafkaEndpoint;
  /** The certificates; undefined for a connection without encryption. */
  readonly tls: TlsMaterial | undefined;
  readonly sasl: SaslCredentials | undefined;
  readonly timeoutMs: number;
}

/** Errors of brokers refresh the metadata earlier. */
const METADATA_AGE_MS = 60_000;

/** Returns the options of a client that does not try again by itself. */
export function clientOptions({ endpoint, tls, sasl, timeoutMs }: BrokerAccess): ClientOptions {
  return {
    clientId: "spanring",
    bootstrapBrokers: endpoint.brokers.map(({ host, port }) => ({ host, port })),
    requestTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    metadataMaxAge: METADATA_AGE_MS,
    retries: 0,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

/** Closes the connections of a client at once. Never rejects. */
export async function hangUp(client: Client): Promise<void> {
  for (const [, connection] of client.connections) connection.socket?.destroy();
  await Promise.allSettled([client.close(true)]);
}
