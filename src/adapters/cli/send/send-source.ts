import type { FileRequest } from "../../otlp-files/file-request.ts";
import { bytesText } from "../output/quantities.ts";

/** Where the requests come from that the command sends. */
export interface SendSource {
  /** The size of everything; undefined if it is unknown. */
  readonly totalBytes: number | undefined;
  /** Whether only an interruption ends it. */
  readonly follows: boolean;
  /** Grows while requests are read. */
  readonly problems: SourceProblems;
  /** Resolves to the requests in their order. Throws a failure if they cannot be read at all. */
  begin(signal: AbortSignal): Promise<AsyncIterable<FileRequest>>;
  close(): Promise<void>;
}

/** Collects everything that cannot be sent. */
export interface SourceProblems {
  /** The first few faults, with their places. */
  readonly faults: string[];
  moreFaults: number;
  /** Bytes that were skipped because of faults that are only counted. */
  moreBytes: number;
  otherSignals: number;
  /** Why the source ended too early, as a line for the user; undefined unless it did. */
  end: string | undefined;
}

const MAX_FAULTS = 10;

export function newProblems(): SourceProblems {
  return { faults: [], moreFaults: 0, moreBytes: 0, otherSignals: 0, end: undefined };
}

/** Records a fault. The text must be safe for a terminal. */
export function noteFault(
  problems: SourceProblems,
  text: string,
  skippedBytes: number | undefined,
): void {
  if (problems.faults.length === MAX_FAULTS) {
    problems.moreFaults += 1;
    problems.moreBytes += skippedBytes ?? 0;
    return;
  }
  const skipped = skippedBytes === undefined ? "" : `; ${bytesText(skippedBytes)} skipped`;
  problems.faults.push(`${text}${skipped}`);
}
