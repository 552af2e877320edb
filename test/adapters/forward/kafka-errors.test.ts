import { describe, expect, test } from "bun:test";
import {
  needsRefresh,
  outcomeOfError,
  storedPartitions,
  verdictOf,
} from "../../../src/adapters/forward/kafka-errors.ts";
import type { KafkaEndpoint } from "../../../src/config/config.ts";

const ENDPOINT: KafkaEndpoint = {
  protocol: "kafka",
  brokers: [{ host: "broker", port: 9092 }],
  topic: "spans",
  isSecure: false,
};

/** Returns an error as the client library reports one of a broker. */
function fault(apiId: string, more: object = {}): Error {
  return Object.assign(new Error("the words of the library"), { apiId, ...more });
}

const ANSWER = { path: "/responses/0/partition_responses/0" };

function library(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: "PLT_KFK_NETWORK" });
}

describe("an error of the protocol", () => {
  test.each([
    ["NONE", "delivered"],
    ["DUPLICATE_SEQUENCE_NUMBER", "delivered"],
    ["MESSAGE_TOO_LARGE", "too_large"],
    ["RECORD_LIST_TOO_LARGE", "too_large"],
    ["INVALID_RECORD", "refused"],
    ["INVALID_TIMESTAMP", "refused"],
    ["NOT_LEADER_OR_FOLLOWER", "retry"],
    ["NOT_ENOUGH_REPLICAS", "retry"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", "retry"],
    ["UNKNOWN_TOPIC_OR_PARTITION", "blocked"],
    ["SASL_AUTHENTICATION_FAILED", "blocked"],
    ["UNSUPPORTED_VERSION", "blocked"],
    ["AN_ERROR_OF_THE_FUTURE", "retry"],
    ["toString", "retry"],
  ] as const)("%s means %s", (name, verdict) => {
    expect(verdictOf(name).verdict).toBe(verdict);
    expect(outcomeOfError(fault(name), ENDPOINT).outcome).toBe(verdict);
  });

  test("quotes the words of the broker", () => {
    const error = fault("INVALID_RECORD", { serverErrorMessage: "no key\u001b" });

    expect(outcomeOfError(error, ENDPOINT)).toEqual({
      outcome: "refused",
      reason: "invalid",
      message: "INVALID_RECORD (topic spans): no key\\x1b",
    });
  });

  test("in answer to messages is retryable, where an empty batch would succeed", () => {
    expect(outcomeOfError(fault("TOPIC_AUTHORIZATION_FAILED", ANSWER), ENDPOINT)).toMatchObject({
      outcome: "retry",
      hint: "permit this user to write to the topic",
    });
  });

  test("is found among the causes of another", () => {
    const error = library(
      "no connection",
      library("no login", fault("UNSUPPORTED_SASL_MECHANISM")),
    );

    expect(outcomeOfError(error, ENDPOINT)).toMatchObject({ reason: "unauthenticated" });
  });

  test("that came last decides", () => {
    const errors = [fault("LEADER_NOT_AVAILABLE"), fault("MESSAGE_TOO_LARGE"), undefined];
    const error = new AggregateError(errors, "failed 3 times");

    expect(outcomeOfError(error, ENDPOINT).outcome).toBe("too_large");
  });
});

test.each([
  { code: "PLT_KFK_UNSUPPORTED_API", text: "the broker does not support what this program needs" },
  { code: "OUT_OF_BOUNDS", text: "the answer of the broker is too short" },
])("the error $code of the library means that the broker is too old", ({ code, text }) => {
  const error = new AggregateError([Object.assign(new Error("no such API"), { code })]);

  expect(outcomeOfError(error, ENDPOINT)).toEqual({
    outcome: "blocked",
    reason: "unsupported",
    message: `UNSUPPORTED_VERSION (topic spans): ${text}`,
    hint: "the broker must be Apache Kafka 1.0 or later",
  });
});

test.each([
  { error: fault("NOT_LEADER_OR_FOLLOWER"), is: true },
  { error: fault("REQUEST_TIMED_OUT"), is: false },
  { error: fault("MESSAGE_TOO_LARGE"), is: false },
  { error: library("the connection was closed"), is: true },
])("whether to ask for the leader after $error.apiId: $is", ({ error, is }) => {
  expect(needsRefresh(error)).toBe(is);
});

describe("an error of the connection", () => {
  const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  const expired = Object.assign(new Error("tls"), { code: "CERT_HAS_EXPIRED" });

  test("is explained by its system error", () => {
    const error = new AggregateError([library("failed", refused)], "no broker");

    expect(outcomeOfError(error, ENDPOINT)).toEqual({
      outcome: "retry",
      message: "ECONNREFUSED: nothing is listening there",
    });
  });

  test("has a hint if TLS is at fault", () => {
    const secure = { ...ENDPOINT, isSecure: true };

    expect(outcomeOfError(library("failed", expired), secure)).toMatchObject({
      outcome: "retry",
      hint: expect.stringContaining("expired"),
    });
  });

  test("without a system error is explained by the innermost message", () => {
    const error = library("failed", library("Broker requires TLS."));

    expect(outcomeOfError(error, ENDPOINT)).toEqual({
      outcome: "retry",
      message: "Broker requires TLS.",
      hint: "write kafkas:// instead of kafka://",
    });
  });

  test.each([
    { hasLogin: false, hint: "if the broker requires a login, set FORWARD_SASL_MECHANISM" },
    { hasLogin: true, hint: undefined },
  ])("that a broker closes has a hint without a login: $hint", ({ hasLogin, hint }) => {
    const outcome = outcomeOfError(library("Connection closed"), ENDPOINT, hasLogin);

    expect("hint" in outcome ? outcome.hint : undefined).toBe(hint);
  });

  test.each(["closed", undefined])("may be no error at all: %p", (error) => {
    expect(outcomeOfError(error, ENDPOINT)).toEqual({ outcome: "retry", message: String(error) });
  });
});

/** Returns an answer with the error of each partition. */
const answerOf = (...codes: number[]) => ({
  response: {
    responses: [{ partitionResponses: codes.map((errorCode, index) => ({ index, errorCode })) }],
  },
});

describe("the partitions that have stored their messages", () => {
  test("are those without an error, or with known numbers", () => {
    const error = Object.assign(new Error("one of three"), answerOf(0, 10, 46));

    expect(storedPartitions(new AggregateError([error]))).toEqual(new Set([0, 2]));
  });

  test("are also those of brokers without any error", () => {
    const produced = { offsets: [{ partition: 5 }] };
    const error = Object.assign(new AggregateError([library("closed")]), { produced });

    expect(storedPartitions(error)).toEqual(new Set([5]));
  });

  test("are none if no broker answered", () => {
    expect(storedPartitions(library("closed"))).toEqual(new Set());
  });

  test("do not hide the error of another partition", () => {
    const faults = [fault("MESSAGE_TOO_LARGE", ANSWER), fault("DUPLICATE_SEQUENCE_NUMBER", ANSWER)];

    expect(outcomeOfError(new AggregateError(faults), ENDPOINT).outcome).toBe("too_large");
  });
});
