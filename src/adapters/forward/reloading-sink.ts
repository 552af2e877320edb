import type { ForwardConfig } from "../../config/config.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink, SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import {
  CHECK_INTERVAL_MS,
  type FileContents,
  ReloadedFiles,
} from "../listening/reloaded-files.ts";
import {
  type ForwardFile,
  type ForwardFiles,
  forwardPaths,
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
  readonly contents: FileContents<ForwardFile>;
  readonly files: ForwardFiles;
}

/**
 * A sink that reloads its files of headers, certificates and keys. It reads them before a batch if
 * the interval has passed, and before every batch that follows a failure, because they may have
 * been changed to fix it. Batches in flight finish with the old ones.
 */
export class ReloadingSink implements ReloadableSink {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly files: ReloadedFiles<ForwardFile, ForwardFiles>;
  private readonly hasFiles: boolean;

  // Moved by `files`.
  private readonly state: Generations;

  // Moved by `send` and `reload`.
  private checkAtMs: number;

  constructor(parts: ReloadingSinkParts, { contents, files }: FirstReading) {
    this.clock = parts.clock;
    this.state = { current: new RetiringSink(parts.make(files)), retired: new Set() };
    this.files = reloadedFiles(parts, contents, this.state);
    this.hasFiles = contents.size > 0;
    this.checkAtMs = this.clock.monotonicMs() + CHECK_INTERVAL_MS;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.isCheckDue) await this.reload();
    const outcome = await this.state.current.send(batch, cancelled);
    if (isFailure(outcome)) this.checkAtMs = Number.NEGATIVE_INFINITY;
    return outcome;
  }

  reload(): Promise<boolean> {
    this.checkAtMs = this.clock.monotonicMs() + CHECK_INTERVAL_MS;
    return this.files.reload();
  }

  async close(): Promise<void> {
    this.files.close();
    const { current, retired } = this.state;
    await Promise.all([current, ...retired].map((sink) => sink.close()));
  }

  private get isCheckDue(): boolean {
    return this.hasFiles && this.clock.monotonicMs() >= this.checkAtMs;
  }
}

/** Reports whether outdated headers or certificates may be the cause. */
function isFailure({ outcome }: SendOutcome): boolean {
  return outcome === "retry" || outcome === "blocked";
}

interface Generations {
  current: RetiringSink;
  readonly retired: Set<RetiringSink>;
}

function reloadedFiles(
  { forward, make, logger }: ReloadingSinkParts,
  contents: FileContents<ForwardFile>,
  state: Generations,
): ReloadedFiles<ForwardFile, ForwardFiles> {
  const use = (files: ForwardFiles, changed: readonly ForwardFile[]): void => {
    replaceSink(state, make(files));
    logger.info("forward_reloaded", { files: changed });
  };
  const parse = (read: FileContents<ForwardFile>) => parseForwardFiles(forward, read);
  return new ReloadedFiles({ paths: forwardPaths(forward), parse, use, logger }, contents);
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
