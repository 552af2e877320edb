import type { TimerClock } from "../../ports/clock.ts";
import type { SendOutcome } from "../../ports/span-sink.ts";
import { type BrokerAccess, clientOptions, hangUp } from "./kafka-access.ts";
import { CANCELLED } from "./sends-in-flight.ts";
import type { KafkaMessage, Producer, ProducerOptions } from "./kafka-client.js";
import { needsRefresh, outcomeOfError, storedPartitions } from "./kafka-errors.ts";

export interface LaneParts extends BrokerAccess {
  readonly compression: KafkaCompression;
  readonly clock: TimerClock;
}

export type KafkaCompression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** The task that a producer is given: messages, or none to ask whether it could send them. */
export type LaneTask = readonly KafkaMessage[];

/** The end of a send. */
export interface LaneEnd {
  readonly outcome: SendOutcome;
  /** The partitions that have stored their messages, although the outcome is a failure. */
  readonly stored: ReadonlySet<number>;
}

/**
 * A producer that sends one batch at a time.
 *
 * An idempotent producer numbers its messages for each partition, and a broker drops a number that
 * it has. If one of several batches in flight failed, the numbers of the others would have a gap.
 * So each batch has a producer of its own, which is not used again after a failure.
 */
export class ProducerLane {
  // Fixed at construction.
  private readonly parts: LaneParts;
  private readonly producer: Producer;

  // Moved by `send`: what to do with an error after which the library would try again.
  private watch: RetryWatcher | undefined;

  constructor(parts: LaneParts) {
    this.parts = parts;
    const { Producer: Library } = parts.client;
    this.producer = new Library(
      producerOptions(parts, (error, isProducing) => this.watch?.(error, isProducing)),
    );
  }

  /** Sends messages, or with none, asks for the topic. Never rejects. */
  send(task: LaneTask, cancelled: AbortSignal): Promise<LaneEnd> {
    const { parts, producer } = this;
    return sendOnce({ parts, producer, task, cancelled }, (watch) => (this.watch = watch));
  }

  /** Closes the connections at once. */
  discard(): void {
    void hangUp(this.producer);
  }
}

type RetryWatcher = (error: unknown, isProducing: boolean) => void;

/** The pauses before the library tries the same messages again: brokers elect a leader quickly. */
const RETRY_PAUSE_MS = { least: 50, most: 1_000 };

/**
 * The library tries again until the send is over, because only the same producer can repeat its
 * messages without the broker storing them twice.
 */
function producerOptions(parts: LaneParts, watch: RetryWatcher): ProducerOptions {
  const { compression, timeoutMs } = parts;
  return {
    ...clientOptions(parts),
    idempotent: true,
    compression,
    timeout: timeoutMs,
    retries: Number.MAX_SAFE_INTEGER,
    retryDelay: (...[client, operation, attempt, , error]) => {
      if (needsRefresh(error)) (client as Producer).clearMetadata();
      watch(error, operation === "produce");
      return Math.min(RETRY_PAUSE_MS.most, RETRY_PAUSE_MS.least * 2 ** attempt);
    },
  };
}

interface LaneSend {
  readonly parts: LaneParts;
  readonly producer: Producer;
  readonly task: LaneTask;
  readonly cancelled: AbortSignal;
}

/**
 * Sends once. An error before any message was sent ends the send, and so does an error that a retry
 * cannot fix. After others the library tries again until the time is up.
 */
async function sendOnce(
  { parts, producer, task, cancelled }: LaneSend,
  watch: (watcher: RetryWatcher | undefined) => void,
): Promise<LaneEnd> {
  const end = Promise.withResolvers<LaneEnd>();
  const endOf = (error: unknown) => {
    const outcome = outcomeOfError(error, parts.endpoint, parts.sasl !== undefined);
    return { outcome, stored: storedPartitions(error) };
  };
  let latest: LaneEnd = LATE;
  watch((error, isProducing) => {
    latest = endOf(error);
    if (!isProducing || latest.outcome.outcome !== "retry") end.resolve(latest);
  });
  const cancel = () => end.resolve({ outcome: CANCELLED, stored: NONE });
  const cancelTimeout = parts.clock.schedule(parts.timeoutMs, () => end.resolve(latest));
  cancelled.addEventListener("abort", cancel, { once: true });
  perform(producer, task, parts.endpoint.topic).then(
    () => end.resolve({ outcome: { outcome: "delivered" }, stored: NONE }),
    (error: unknown) => end.resolve(endOf(error)),
  );
  try {
    return await end.promise;
  } finally {
    watch(undefined);
    cancelTimeout();
    cancelled.removeEventListener("abort", cancel);
  }
}

const NONE: ReadonlySet<number> = new Set();

const LATE: LaneEnd = {
  outcome: {
    outcome: "retry",
    message: "TimeoutError: no response in time",
    isTimeout: true,
  },
  stored: NONE,
};

async function perform(producer: Producer, task: LaneTask, topic: string): Promise<void> {
  const isQuestion = task.length === 0;
  const { topics } = await producer.metadata({ topics: [topic], forceUpdate: isQuestion });
  const { partitionsCount } = topics.get(topic) ?? { partitionsCount: 1 };
  for (const message of task) message.partition %= partitionsCount;
  if (!isQuestion) return void (await producer.send({ messages: [...task] }));
  if (producer.producerId === undefined) await producer.initIdempotentProducer({});
}
