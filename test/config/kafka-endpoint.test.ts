import { expect, test } from "bun:test";
import { type Environment, readConfig } from "../../src/config/config.ts";
import { isKafkaUrl, kafkaEndpoint, shownKafka } from "../../src/config/kafka-endpoint.ts";

const LONGEST = "a".repeat(249);

test.each([
  "kafka://one/spans",
  "kafka://one:9092/spans",
  "KAFKA://one:1,two:65535,three/otlp_spans-1.x",
  "kafkas://[::1]:9093,10.0.0.1/spans",
  `kafka://one/${LONGEST}`,
])("%s is an endpoint", (text) => {
  expect(isKafkaUrl(text)).toBe(true);
});

test.each([
  "kafka://one:9092",
  "kafka://one:9092/",
  "kafka:///spans",
  "kafka://one,/spans",
  "kafka://one:0/spans",
  "kafka://one:65536/spans",
  "kafka://one:port/spans",
  "kafka://::1/spans",
  "kafka://a b/spans",
  "kafka://one/spans/more",
  "kafka://one/spans?acks=1",
  "kafka://one/spans#1",
  "kafka://user:hunter2@one/spans",
  "kafka://one/.",
  "kafka://one/..",
  "kafka://one/ä",
  `kafka://one/${LONGEST}a`,
  "amqp://one/spans",
])("%s is not", (text) => {
  expect(isKafkaUrl(text)).toBe(false);
});

test("hosts are canonical, and the port is 9092 by default", () => {
  const endpoint = kafkaEndpoint("kafkas://ONE,[0::1]:1/Spans");

  expect(endpoint).toEqual({
    protocol: "kafka",
    brokers: [
      { host: "one", port: 9092 },
      { host: "::1", port: 1 },
    ],
    topic: "Spans",
    isSecure: true,
  });
  expect(shownKafka(endpoint)).toBe("kafkas://one:9092,[::1]:1/Spans");
});

test("without TLS, it is shown so", () => {
  expect(shownKafka(kafkaEndpoint("kafka://one/spans"))).toBe("kafka://one:9092/spans");
});

const NO_TLS = "unset for an endpoint without TLS; use https://, grpcs:// or kafkas://";

test.each<{ name: string; env: Environment; mistakes: string[] }>([
  {
    name: "snappy over gRPC",
    env: { FORWARD_ENDPOINT: "grpc://up", FORWARD_COMPRESSION: "snappy" },
    mistakes: [
      'FORWARD_COMPRESSION="snappy": must be gzip or none for gRPC, which does not support snappy',
    ],
  },
  {
    name: "lz4 over HTTP",
    env: { FORWARD_ENDPOINT: "http://up", FORWARD_COMPRESSION: "lz4" },
    mistakes: [
      'FORWARD_COMPRESSION="lz4": must be gzip, zstd or none for HTTP, which does not support lz4',
    ],
  },
  {
    name: "a key for HTTP",
    env: { FORWARD_ENDPOINT: "http://up", FORWARD_KAFKA_KEY: "service" },
    mistakes: ['FORWARD_KAFKA_KEY="service": must be none for an endpoint of http/protobuf'],
  },
  {
    name: "a protocol for Kafka",
    env: { FORWARD_ENDPOINT: "kafka://up/spans", FORWARD_PROTOCOL: "grpc" },
    mistakes: ['FORWARD_PROTOCOL="grpc": must be unset for an endpoint of kafka'],
  },
  {
    name: "TLS for Kafka without it",
    env: { FORWARD_ENDPOINT: "kafka://up/spans", FORWARD_TLS_CA_FILE: "/ca" },
    mistakes: [`FORWARD_TLS_CA_FILE="/ca": must be ${NO_TLS}`],
  },
  {
    name: "one of the brokers is its own listener",
    env: { FORWARD_ENDPOINT: "kafka://up:9092,localhost:4318/spans" },
    mistakes: [
      'FORWARD_ENDPOINT="kafka://up:9092,localhost:4318/spans": must be somewhere else: ' +
        "OTLP_HTTP_PORT listens there, so spans would loop",
    ],
  },
])("$name is a mistake", ({ env, mistakes }) => {
  const reading = readConfig(env, () => []);
  const found = reading.ok ? [] : reading.mistakes;

  expect(
    found.map(({ variable, value, bound }) => `${variable}="${value}": must be ${bound}`),
  ).toEqual(mistakes);
});

test("a proxy is no mistake for Kafka, because connections to it use none", () => {
  const env = { FORWARD_ENDPOINT: "kafka://up/spans", HTTPS_PROXY: "socks5://proxy" };

  expect(readConfig(env)).toMatchObject({ ok: true });
});
