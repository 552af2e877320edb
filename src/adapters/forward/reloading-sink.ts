import type { ForwardConfig } from "../../config/config.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink, SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import {
  changedFiles,
  type FileContents,
  type ForwardFiles,
  loadForwardFiles,
  parseForwardFiles,
} from "./forward-files.ts";

export interface ReloadingSinkParts {
  readonly forward: ForwardConfig;
  /** Makes the sink that sends with what the files hold. */
  readonly make: (files: ForwardFiles) => SpanSink;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Holds what was read before the sink was made. */
export interface FirstReading {
  readonly contents: FileContents;
  readonly files: ForwardFiles;
}

export const CHECK_INTERVAL_MS = 5_000;

/**
 * A sink that follows its files: headers, certificates and keys. It reads them before a batch when
 * the interval has passed, and before every batch that follows a failure, since they may have been
 * changed to mend it. What is being sent goes on to its end with the old ones.
 *
 * Contents are compared, not times: a file may be replaced by a rename, or behind a symbolic link.
 * Files with a mistake change nothing, since a certificate and its key are rarely replaced at the
 * same instant.
 */
export class ReloadingSink implements ReloadableSink {
  // Fixed at construction.
  private readonly clock: Clock;

  // Moved by `useChangedFiles` and `close`.
  private readonly state: Generations;

  // Moved by `send` and `reload`.
  private checkAtMs: number;
  private reloading: Promise<boolean> | undefined;

  constructor(parts: ReloadingSinkParts, { contents, files }: FirstReading) {
    const current = new RetiringSink(parts.make(files));
    this.state = { parts, used: contents, read: contents, current, retired: new Set() };
    this.clock = parts.clock;
    this.checkAtMs = this.clock.monotonicMs() + CHECK_INTERVAL_MS;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.isCheckDue) await this.reload();
    const outcome = await this.state.current.send(batch, cancelled);
    if (isFailure(outcome)) this.checkAtMs = Number.NEGATIVE_INFINITY;
    return outcome;
  }

  /** Several at a time share one reading. */
  reload(): Promise<boolean> {
    this.checkAtMs = this.clock.monotonicMs() + CHECK_INTERVAL_MS;
    const ended = () => (this.reloading = undefined);
    return (this.reloading ??= useChangedFiles(this.state).finally(ended));
  }

  async close(): Promise<void> {
    this.state.isClosed = true;
    const { current, retired } = this.state;
    await Promise.all([current, ...retired].map((sink) => sink.close()));
  }

  private get isCheckDue(): boolean {
    return this.state.used.size > 0 && this.clock.monotonicMs() >= this.checkAtMs;
  }
}

/** Whether what the files hold may be the reason. */
function isFailure({ outcome }: SendOutcome): boolean {
  return outcome === "retry" || outcome === "blocked";
}

interface Generations {
  readonly parts: ReloadingSinkParts;
  /** The contents that `current` was made with. */
  used: FileContents;
  /** The contents read last: a mistake in them is logged once. */
  read: FileContents;
  current: RetiringSink;
  readonly retired: Set<RetiringSink>;
  isClosed?: true;
}

/** Resolves to whether what the files hold is in use. */
async function useChangedFiles(state: Generations): Promise<boolean> {
  const { forward, make, logger } = state.parts;
  const contents = await loadForwardFiles(forward);
  if (changedFiles(state.read, contents).length === 0 || state.isClosed === true) {
    return changedFiles(state.used, contents).length === 0;
  }
  state.read = contents;
  const files = parseForwardFiles(forward, contents);
  if ("mistakes" in files) {
    for (const mistake of files.mistakes) logger.warning("cannot_reload", { ...mistake });
    return false;
  }
  const changed = changedFiles(state.used, contents);
  if (changed.length > 0) replaceSink(state, make(files));
  if (changed.length > 0) logger.info("forward_reloaded", { files: changed });
  state.used = contents;
  return true;
}

function replaceSink(state: Generations, sink: SpanSink): void {
  const old = state.current;
  state.current = new RetiringSink(sink);
  state.retired.add(old);
  void old.retire().finally(() => state.retired.delete(old));
}

/** A sink that can be closed once what it sends has ended. */
export class RetiringSink implements SpanSink {
  // Fixed at construction.
  private readonly sink: SpanSink;

  // Moved by `send`.
  private readonly sends = new Set<Promise<SendOutcome>>();

  constructor(sink: SpanSink) {
    this.sink = sink;
  }

  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    const sending = this.sink.send(batch, cancelled).finally(() => this.sends.delete(sending));
    this.sends.add(sending);
    return sending;
  }

  /** Nothing more is sent through it. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.sends);
    await this.sink.close();
  }

  close(): Promise<void> {
    return this.sink.close();
  }
}
