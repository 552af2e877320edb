import { expect, test } from "bun:test";
import { readFaultOf } from "../../../src/adapters/forward/kafka-read-fault.ts";
import type { KafkaEndpoint } from "../../../src/config/config.ts";

const ENDPOINT: KafkaEndpoint = {
  protocol: "kafka",
  brokers: [{ host: "broker", port: 9092 }],
  topic: "spans",
  isSecure: true,
};
const ACCESS = { endpoint: ENDPOINT, sasl: undefined, secrets: [] };

function broker(apiId: string, message = "words"): Error {
  return Object.assign(new Error(message), { apiId });
}

function system(code: string): Error {
  return Object.assign(new Error("of the system"), { code });
}

const TOPIC = "create the topic, or check its name in FORWARD_ENDPOINT";

test.each([
  { name: "a new leader", error: broker("NOT_LEADER_OR_FOLLOWER"), isTemporary: true },
  { name: "an unknown offset", error: broker("OFFSET_OUT_OF_RANGE"), isTemporary: true },
  {
    name: "an unknown topic",
    error: broker("UNKNOWN_TOPIC_OR_PARTITION"),
    isTemporary: true,
    hint: TOPIC,
  },
  {
    name: "an unknown topic in the library's words",
    error: new Error("Unknown topic spans."),
    isTemporary: true,
    hint: TOPIC,
  },
  {
    name: "a topic that this user may not read",
    error: broker("TOPIC_AUTHORIZATION_FAILED"),
    isTemporary: false,
    hint: "permit this user to read the topic",
  },
  {
    name: "a mechanism that the broker does not have",
    error: broker("UNSUPPORTED_SASL_MECHANISM"),
    isTemporary: false,
    hint: "check FORWARD_SASL_MECHANISM: the listener of the broker supports another one",
  },
  {
    name: "an expired certificate",
    error: system("CERT_HAS_EXPIRED"),
    isTemporary: true,
    hint: "the upstream's certificate has expired, and must be renewed there",
  },
  { name: "a closed port", error: system("ECONNREFUSED"), isTemporary: true },
])("$name is worth another try: $isTemporary", ({ error, isTemporary, hint }) => {
  const found = readFaultOf(error, ACCESS);

  expect(found.isTemporary).toBe(isTemporary);
  expect(found.fault.hint).toBe(hint);
});

test("the words of a broker are quoted, without secrets", () => {
  const error = broker("SASL_AUTHENTICATION_FAILED", "hunter2 is wrong\u001b");

  const { fault } = readFaultOf(error, { ...ACCESS, secrets: ["hunter2"] });

  const words = String.raw`*** is wrong\x1b`;
  expect(fault.message).toBe(`SASL_AUTHENTICATION_FAILED (topic spans): ${words}`);
});

const SASL = { mechanism: "PLAIN", username: "edge", password: "hunter2" } as const;

test.each([
  {
    name: "sets none",
    login: undefined,
    hint: "if the broker requires a login, set FORWARD_SASL_MECHANISM",
  },
  { name: "has one", login: SASL, hint: undefined },
])(
  "if a broker closes the connection, the hint is a login, or nothing: the user $name",
  ({ login, hint }) => {
    const closed = Object.assign(new Error("Connection closed"), { code: "PLT_KFK_NETWORK" });

    expect(readFaultOf(closed, { ...ACCESS, sasl: login }).fault.hint).toBe(hint);
  },
);
