import { canonicalHost, withoutBrackets } from "../domain/text/host-address.ts";

/** A topic of Apache Kafka. */
export interface KafkaEndpoint {
  readonly protocol: "kafka";
  /** The brokers to ask for all others; at least one. */
  readonly brokers: readonly [KafkaBroker, ...KafkaBroker[]];
  readonly topic: string;
  readonly isSecure: boolean;
}

export interface KafkaBroker {
  /** The host; IPv6 addresses are without brackets. */
  readonly host: string;
  readonly port: number;
}

const URL_FORM = /^(?<scheme>kafkas?):\/\/(?<brokers>[^/?#@]+)\/(?<topic>[\w.-]{1,249})$/i;
const BROKER_FORM = /^(?<host>\[[^\]]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/;

/** The port that brokers use by default. */
const KAFKA_PORT = 9092;

/** Reports whether a text is `kafka[s]://HOST:PORT,HOST:PORT/TOPIC`. */
export function isKafkaUrl(text: string): boolean {
  const { brokers, topic } = URL_FORM.exec(text)?.groups ?? {};
  if (brokers === undefined || topic === "." || topic === "..") return false;
  return brokers.split(",").every((broker) => brokerOf(broker) !== undefined);
}

/** Parses a URL for which `isKafkaUrl` is true. */
export function kafkaEndpoint(text: string): KafkaEndpoint {
  const { scheme = "", brokers = "", topic = "" } = URL_FORM.exec(text)?.groups ?? {};
  const found = brokers.split(",").map(brokerOf) as [KafkaBroker, ...KafkaBroker[]];
  return { protocol: "kafka", brokers: found, topic, isSecure: scheme.toLowerCase() === "kafkas" };
}

function brokerOf(text: string): KafkaBroker | undefined {
  const { host = "", port } = BROKER_FORM.exec(text)?.groups ?? {};
  const canonical = host === "" ? undefined : canonicalHost(host);
  const number = Number(port ?? KAFKA_PORT);
  if (canonical === undefined || number < 1 || number > 65_535) return undefined;
  return { host: withoutBrackets(canonical), port: number };
}

/** Returns the URL of an endpoint. */
export function shownKafka({ brokers, topic, isSecure }: KafkaEndpoint): string {
  const shown = brokers.map(
    ({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`,
  );
  return `kafka${isSecure ? "s" : ""}://${shown.join(",")}/${topic}`;
}
