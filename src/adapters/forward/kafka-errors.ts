import type { KafkaEndpoint } from "../../config/config.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { RefusalReason, SendOutcome } from "../../ports/span-sink.ts";
import { connectionFault, tlsHint } from "./connection-fault.ts";

/** Says what an error of the protocol means for the messages that were sent. */
export type KafkaVerdict =
  | { readonly verdict: "delivered" | "too_large" }
  /** `refreshes`: the leader of a partition may have changed, so ask who it is. */
  | { readonly verdict: "retry"; readonly refreshes?: true; readonly hint?: string }
  /** The broker accepts these messages at no time. */
  | { readonly verdict: "refused"; readonly reason: RefusalReason }
  /** The broker accepts nothing from us until a person has fixed the cause. */
  | { readonly verdict: "blocked"; readonly reason: RefusalReason; readonly hint: string };

const RETRY: KafkaVerdict = { verdict: "retry" };
const REFRESH: KafkaVerdict = { verdict: "retry", refreshes: true };
const TOO_LARGE: KafkaVerdict = { verdict: "too_large" };
const INVALID: KafkaVerdict = { verdict: "refused", reason: "invalid" };

function retryWith(hint: string): KafkaVerdict {
  return { verdict: "retry", hint };
}

function blocked(reason: RefusalReason, hint: string): KafkaVerdict {
  return { verdict: "blocked", reason, hint };
}

const TOPIC = "create the topic, or check its name in FORWARD_ENDPOINT";
const CREDENTIALS =
  "check the files of FORWARD_SASL_USERNAME_FILE, FORWARD_SASL_PASSWORD_FILE or " +
  "FORWARD_SASL_TOKEN_FILE";
const MECHANISM = "check FORWARD_SASL_MECHANISM: the listener of the broker supports another one";
const WRITE = "permit this user to write to the topic";
const VERSION = "the broker must be Apache Kafka 1.0 or later";
const REPLICAS = "start more brokers, or lower min.insync.replicas of the topic";

/**
 * Maps each error of the protocol that a producer can meet to its meaning. Any other one is worth a
 * retry: it costs no span. Source: Apache Kafka protocol, "Error codes".
 */
const VERDICTS: Readonly<Record<string, KafkaVerdict>> = {
  NONE: { verdict: "delivered" },
  // The broker has these messages from an earlier try.
  DUPLICATE_SEQUENCE_NUMBER: { verdict: "delivered" },

  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,

  INVALID_RECORD: INVALID,
  INVALID_TIMESTAMP: INVALID,

  LEADER_NOT_AVAILABLE: REFRESH,
  NOT_LEADER_OR_FOLLOWER: REFRESH,
  REPLICA_NOT_AVAILABLE: REFRESH,
  FENCED_LEADER_EPOCH: REFRESH,
  UNKNOWN_LEADER_EPOCH: REFRESH,
  UNKNOWN_TOPIC_ID: REFRESH,
  INCONSISTENT_TOPIC_ID: REFRESH,
  KAFKA_STORAGE_ERROR: REFRESH,
  NETWORK_EXCEPTION: REFRESH,
  LISTENER_NOT_FOUND: REFRESH,

  CORRUPT_MESSAGE: RETRY,
  REQUEST_TIMED_OUT: RETRY,
  BROKER_NOT_AVAILABLE: RETRY,
  NOT_ENOUGH_REPLICAS: retryWith(REPLICAS),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retryWith(REPLICAS),
  COORDINATOR_LOAD_IN_PROGRESS: RETRY,
  COORDINATOR_NOT_AVAILABLE: RETRY,
  THROTTLING_QUOTA_EXCEEDED: RETRY,
  // The number of the producer is lost or outdated; the next try gets a new one.
  UNKNOWN_PRODUCER_ID: RETRY,
  INVALID_PRODUCER_EPOCH: RETRY,
  INVALID_PRODUCER_ID_MAPPING: RETRY,
  PRODUCER_FENCED: RETRY,
  OUT_OF_ORDER_SEQUENCE_NUMBER: RETRY,
  UNKNOWN_SERVER_ERROR: retryWith("see the log of the broker"),

  UNKNOWN_TOPIC_OR_PARTITION: blocked("not_found", TOPIC),
  INVALID_TOPIC_EXCEPTION: blocked("not_found", TOPIC),
  SASL_AUTHENTICATION_FAILED: blocked("unauthenticated", CREDENTIALS),
  UNSUPPORTED_SASL_MECHANISM: blocked("unauthenticated", MECHANISM),
  ILLEGAL_SASL_STATE: blocked("unauthenticated", MECHANISM),
  TOPIC_AUTHORIZATION_FAILED: blocked("forbidden", WRITE),
  CLUSTER_AUTHORIZATION_FAILED: blocked("forbidden", WRITE),
  UNSUPPORTED_VERSION: blocked("unsupported", VERSION),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: blocked("unsupported", VERSION),
  UNSUPPORTED_COMPRESSION_TYPE: blocked(
    "unsupported",
    "set FORWARD_COMPRESSION to one that the broker supports",
  ),
  POLICY_VIOLATION: blocked("forbidden", "see the log of the broker for its policy"),
};

/** Returns what the error with this name means. */
export function verdictOf(name: string): KafkaVerdict {
  return Object.hasOwn(VERDICTS, name) ? VERDICTS[name]! : RETRY;
}

/** An error of a broker, as the client library reports it. */
export interface ProtocolFault {
  readonly name: string;
  readonly message: string;
  /** Whether the broker gave it in answer to messages, not to a question before them. */
  readonly isAnswer: boolean;
}

/** Returns the outcome of a send that failed with this error of the client library. */
export function outcomeOfError(
  error: unknown,
  { topic, isSecure }: KafkaEndpoint,
  hasLogin = true,
): SendOutcome {
  const fault = protocolFault(error);
  if (fault === undefined) return connectionOutcome(error, { isSecure, hasLogin });
  const message = quotePeerText(`${fault.name} (topic ${topic}): ${fault.message}`);
  const found = verdictOf(fault.name);
  switch (found.verdict) {
    case "delivered":
      return { outcome: "delivered" };
    case "too_large":
      return { outcome: "too_large", message };
    case "refused":
      return { outcome: "refused", reason: found.reason, message };
    case "blocked": {
      const { reason, hint } = found;
      // An empty batch asks only the questions before the messages. It would succeed here, and the
      // spans, not their sender, would seem to be at fault.
      if (fault.isAnswer) return { outcome: "retry", message, hint };
      return { outcome: "blocked", reason, message, hint };
    }
    case "retry":
      return { outcome: "retry", message, ...(found.hint && { hint: found.hint }) };
  }
}

/** Reports whether the leader of a partition may have changed. */
export function needsRefresh(error: unknown): boolean {
  const fault = protocolFault(error);
  if (fault === undefined) return true;
  const found = verdictOf(fault.name);
  return found.verdict === "retry" && found.refreshes === true;
}

/**
 * Returns the last error of a broker among the causes of an error; undefined if there is none. A
 * failure of one partition counts, though others report that they have the messages.
 */
export function protocolFault(error: unknown): ProtocolFault | undefined {
  const faults = [...causesOf(error)].map(faultOf).filter((each) => each !== undefined);
  return faults.find(({ name }) => verdictOf(name).verdict !== "delivered") ?? faults.at(-1);
}

/** The errors of the client library that mean the same as `UNSUPPORTED_VERSION`, with a text. */
const TOO_OLD = new Map([
  ["PLT_KFK_UNSUPPORTED_API", "the broker does not support what this program needs"],
  // A broker before Apache Kafka 0.11 answers the first question in a form that cannot be read.
  ["OUT_OF_BOUNDS", "the answer of the broker is too short"],
]);

function faultOf({ apiId, path, serverErrorMessage, message, code }: AnyError) {
  const tooOld = TOO_OLD.get(String(code));
  if (tooOld !== undefined)
    return { name: "UNSUPPORTED_VERSION", message: tooOld, isAnswer: false };
  if (typeof apiId !== "string") return undefined;
  const isAnswer = typeof path === "string" && path.startsWith("/responses/");
  return { name: apiId, message: String(serverErrorMessage ?? message), isAnswer };
}

/** An answer of a broker to messages. */
interface ProduceAnswer {
  readonly responses: readonly {
    readonly partitionResponses: readonly { readonly index: number; readonly errorCode: number }[];
  }[];
}

/** The code of `NONE`, and that of `DUPLICATE_SEQUENCE_NUMBER`. */
const STORED_CODES: ReadonlySet<number> = new Set([0, 46]);

/** Returns the partitions that have stored their messages, although the send failed. */
export function storedPartitions(error: unknown): ReadonlySet<number> {
  const stored = new Set<number>();
  for (const { response, produced } of causesOf(error)) {
    const { responses = [] } = (response ?? {}) as Partial<ProduceAnswer>;
    for (const { index, errorCode } of responses.flatMap((each) => each.partitionResponses)) {
      if (STORED_CODES.has(errorCode)) stored.add(index);
    }
    const { offsets = [] } = (produced ?? {}) as { offsets?: readonly { partition: number }[] };
    for (const { partition } of offsets) stored.add(partition);
  }
  return stored;
}

type AnyError = Readonly<Record<string, unknown>>;

/** Yields an error and its causes, later ones first. */
function* causesOf(error: unknown): Generator<AnyError> {
  if (!(error instanceof Error)) return;
  const { errors } = error as { errors?: readonly unknown[] };
  yield error as unknown as AnyError;
  for (const each of (errors ?? []).toReversed()) yield* causesOf(each);
  yield* causesOf(error.cause);
}

/** The codes of the client library, which say less than its messages or the causes. */
const LIBRARY_CODE = /^PLT_KFK_/;

function isSystemError({ code }: AnyError): boolean {
  return typeof code === "string" && !LIBRARY_CODE.test(code);
}

interface Protection {
  readonly isSecure: boolean;
  /** Whether this client authenticates itself. */
  readonly hasLogin: boolean;
}

function connectionOutcome(error: unknown, protection: Protection): SendOutcome {
  const causes = [...causesOf(error)];
  const system = causes.find(isSystemError);
  const last = causes.findLast(({ message }) => typeof message === "string" && message !== "");
  const message =
    system === undefined
      ? quotePeerText(String(last?.["message"] ?? error))
      : connectionFault(system);
  return { outcome: "retry", message, ...connectionHint(message, protection) };
}

/** Returns what to check when a connection fails in these words. */
function connectionHint(
  message: string,
  { isSecure, hasLogin }: Protection,
): { readonly hint?: string } {
  // A broker that requires a login ends the connection without a word.
  if (!hasLogin && message === "Connection closed") return { hint: LOGIN };
  if (isSecure) return tlsHint(message);
  return message === "Broker requires TLS." ? { hint: "write kafkas:// instead of kafka://" } : {};
}

const LOGIN = "if the broker requires a login, set FORWARD_SASL_MECHANISM";
