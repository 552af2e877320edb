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
  /** Creates a sink that uses these headers and certificates. */
  readonly make: (files: ForwardFiles) => SpanSink;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Holds the files as read before the sink was created. */
export interface FirstReading {
  readonly contents: FileContents;
  readonly files: ForwardFiles;
}

export const CHECK_INTERVAL_MS = 5_000;

/**
 * A sink that reloads its files of headers, certificates and keys. It reads them before a batch if
 * the interval has passed, and before every batch that follows a failure, because they may have
 * been changed to fix it. Batches in flight finish with the old ones.
 *
 * It compares contents, not times: a file may be replaced by a rename, or behind a symbolic link.
 * Files with a mistake change nothing, because a certificate and its key are rarely replaced at the
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

  /** Reloads changed files. Concurrent calls share one reading. */
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

/** Reports whether outdated headers or certificates may be the cause. */
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

/** Reads the files, and replaces the sink if they changed. Resolves to whether they are in use. */
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

/** A sink that can be closed once its sends in flight have ended. */
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

  /** Closes the sink after the sends in flight. Must not be followed by another send. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.sends);
    await this.sink.close();
  }

  close(): Promise<void> {
    return this.sink.close();
  }
}
