/** A message of a topic. */
export interface TopicMessage {
  readonly partition: number;
  readonly offset: bigint;
  /** Null if the message only says that its key was deleted. */
  readonly value: Uint8Array | null;
}

/** Messages that the brokers had removed before they were read, as their retention says. */
export interface TopicGap {
  readonly partition: number;
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
}

export type TopicItem = TopicMessage | TopicGap;

/** The part of a topic to read. */
export interface TopicRange {
  /** The time of the first message; undefined for those that arrive from now on. */
  readonly sinceUnixMs: number | undefined;
  /** Whether to wait for more messages after those that are there at the start. */
  readonly follows: boolean;
  /**
   * Called with the cause once messages could not be read for a while, and with undefined once they
   * can be read again. Without it, reading ends with the cause.
   */
  readonly stalled?: (cause: TopicFault | undefined) => void;
}

/** A topic from which messages are read, without any effect on its other readers. */
export interface TopicSource {
  /**
   * Resolves to the messages of a range, those of a partition in their order, once it is known
   * where the range begins. Both throw a `TopicFault` if the topic cannot be read. Ends early,
   * without an error, if the signal is aborted.
   */
  read(range: TopicRange, signal: AbortSignal): Promise<AsyncGenerator<TopicItem>>;
  close(): Promise<void>;
}

/** Says why a topic cannot be read; the message is short and escaped. */
export class TopicFault extends Error {
  override name = "TopicFault";
  /** Names what to check. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
