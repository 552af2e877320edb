import type { SleepingClock } from "../../ports/clock.ts";
import type { TopicItem, TopicRange, TopicSource } from "../../ports/topic-source.ts";
import { type BrokerAccess, clientOptions, hangUp } from "./kafka-access.ts";
import type { Consumer } from "./kafka-client.js";
import { needsRefresh } from "./kafka-errors.ts";
import { readFaultOf } from "./kafka-read-fault.ts";
import {
  fetchItems,
  firstPositions,
  MAX_WAIT_MS,
  type Position,
  type TopicReader,
} from "./topic-positions.ts";

export interface TopicParts extends BrokerAccess {
  /** Texts that no message may show. */
  readonly secrets: readonly string[];
  readonly clock: SleepingClock;
}

/**
 * A topic of Kafka. It asks the leaders of the partitions for messages, joins no group of consumers
 * and commits nothing, so that no other reader notices.
 */
export class KafkaTopic implements TopicSource {
  // Fixed at construction.
  private readonly parts: TopicParts;
  private readonly consumer: Consumer;

  constructor(parts: TopicParts) {
    this.parts = parts;
    this.consumer = openConsumer(parts);
  }

  read(range: TopicRange, signal: AbortSignal): Promise<AsyncGenerator<TopicItem>> {
    const { consumer, parts } = this;
    return beginReading({ ...parts, consumer, topic: parts.endpoint.topic, signal }, range);
  }

  close(): Promise<void> {
    return hangUp(this.consumer);
  }
}

function openConsumer(parts: TopicParts): Consumer {
  const { Consumer: Library } = parts.client;
  // An answer may be delayed until there is a message.
  const requestTimeout = parts.timeoutMs + MAX_WAIT_MS;
  const isolationLevel = 0;
  const options = { ...clientOptions(parts), groupId: "spanring", isolationLevel } as const;
  const consumer = new Library({ ...options, requestTimeout });
  consumer.topics.track(parts.endpoint.topic);
  return consumer;
}

/** How long the first question is repeated, as for a topic that was created just now. */
const FIRST_PATIENCE_MS = 2_000;

interface Reading extends TopicParts, TopicReader {
  readonly signal: AbortSignal;
}

async function beginReading(
  reading: Reading,
  { sinceUnixMs, follows, stalled }: TopicRange,
): Promise<AsyncGenerator<TopicItem>> {
  const question = () => firstPositions(reading, sinceUnixMs);
  const positions = (await answerTo(question, reading, { patienceMs: FIRST_PATIENCE_MS })) ?? [];
  const patience = { patienceMs: reading.timeoutMs, ...(follows && stalled && { stalled }) };
  return itemsFrom(positions, { ...reading, patience }, follows);
}

async function* itemsFrom(
  positions: Position[],
  reading: Reading & { readonly patience: Patience },
  follows: boolean,
): AsyncGenerator<TopicItem> {
  while (!reading.signal.aborted) {
    const open = follows ? positions : positions.filter(isBeforeEnd);
    if (open.length === 0) return;
    const question = () => fetchItems(reading, open, follows);
    // oxlint-disable-next-line no-await-in-loop -- messages are read in their order
    yield* (await answerTo(question, reading, reading.patience)) ?? [];
  }
}

function isBeforeEnd({ next, end }: Position): boolean {
  return next < end;
}

const PAUSE_MS = { first: 250, most: 1_000 };

interface Patience extends Pick<TopicRange, "stalled"> {
  /** How long a question is repeated, or, with `stalled`, until that is called. */
  readonly patienceMs: number;
}

/**
 * Returns the answer; undefined once the signal is aborted. Repeats the question if the cause may
 * be temporary. Once that has taken too long, throws the last fault, or reports it and goes on.
 */
async function answerTo<Answer>(
  question: () => Promise<Answer>,
  reading: Reading,
  { patienceMs, stalled }: Patience,
): Promise<Answer | undefined> {
  const { clock, consumer, signal } = reading;
  const endMs = clock.monotonicMs() + patienceMs;
  let isStalled = false;
  for (let pauseMs = PAUSE_MS.first; !signal.aborted;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a question is repeated after its answer
      const answer = await question();
      if (isStalled) stalled?.(undefined);
      return answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      const { fault, isTemporary } = readFaultOf(error, reading);
      const isLate = clock.monotonicMs() + pauseMs > endMs;
      if (!isTemporary || (isLate && stalled === undefined)) throw fault;
      if (isLate && !isStalled) stalled?.(fault);
      isStalled = isLate;
      if (needsRefresh(error)) consumer.clearMetadata();
    }
    // oxlint-disable-next-line no-await-in-loop -- and its pause
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, PAUSE_MS.most);
  }
  return undefined;
}
