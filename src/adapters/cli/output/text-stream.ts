import { closeSync, fstatSync, openSync, write, writeSync } from "node:fs";
import { devNull } from "node:os";
import { isatty } from "node:tty";
import { SYSTEM_CLOCK } from "../../clock/system-clock.ts";
import { CommandFailure, EXIT_CODE } from "./exit-code.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";

/** The standard output or standard error of a command. */
export interface TextStream {
  /** Whether it is a terminal, so that colours help. */
  readonly isTerminal: boolean;
  /** The width of the terminal, read each time, because windows are resized. */
  readonly columns: number;
  /** Returns false once the reader has closed the pipe, so that the caller can stop. */
  write(text: string | Uint8Array): boolean;
  /**
   * Like `write`, for long outputs: another thread writes, so that signals are handled while a pipe
   * is full. Resolves to false as well once the signal is aborted. The reader has whole lines then,
   * unless it has stopped reading in the middle of a long one.
   */
  writeAside(text: string, signal?: AbortSignal): Promise<boolean>;
}

/** Text that is collected for a stream, and written in one piece. */
export interface CollectedText extends TextStream {
  /** Always returns true: only `flush` finds out whether the pipe is closed. */
  write(text: string): boolean;
  /** Collects text as `write` does. */
  writeAside(text: string): Promise<boolean>;
  /** Writes what has been collected, like `writeAside`. */
  flush(signal?: AbortSignal): Promise<boolean>;
}

export function collectedText(stream: TextStream): CollectedText {
  let collected = "";
  const collect = (text: string): boolean => {
    collected += text;
    return true;
  };
  return {
    isTerminal: stream.isTerminal,
    get columns() {
      return stream.columns;
    },
    write: collect,
    writeAside: async (text) => collect(text),
    flush: async (signal) => {
      const text = collected;
      collected = "";
      return text === "" || (await stream.writeAside(text, signal));
    },
  };
}

const DEFAULT_COLUMNS = 80;

/** The pause before writing again to a full pipe that its reader has made non-blocking. */
const FULL_PIPE_PAUSE_MS = 5;

/**
 * The largest write to a pipe that succeeds as a whole or not at all. Source: PIPE_BUF in pipe(7),
 * and in limits.h of macOS.
 */
const ATOMIC_BYTES = process.platform === "linux" ? 4096 : 512;

/** The time in which a reader must take a piece of a line for the rest of it to be written. */
const LINE_GRACE_MS = 5_000;

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/**
 * Opens a stream for data. It writes synchronously, so that the program may exit right after, and
 * survives a reader that closes the pipe. Throws a failure if it cannot write.
 */
export function openTextStream(fileDescriptor: number, lineGraceMs = LINE_GRACE_MS): TextStream {
  return streamOf(fileDescriptor, { failed: failToWrite, lineGraceMs });
}

function failToWrite(error: unknown): never {
  const message = `cannot write to standard output: ${systemErrorText(error)}`;
  throw new CommandFailure(EXIT_CODE.cannotWrite, message);
}

/** Opens a stream for messages. One that cannot be written is dropped: no stream is left for it. */
export function openMessageStream(fileDescriptor: number): TextStream {
  return streamOf(fileDescriptor, { failed: () => false, lineGraceMs: LINE_GRACE_MS });
}

/**
 * Closes standard output for its reader. It becomes the null device, because a file that is opened
 * later would get its number, and whatever is printed.
 */
export function releaseOutput(fileDescriptor = STANDARD_OUTPUT): void {
  closeSync(fileDescriptor);
  openSync(devNull, "w");
}

interface StreamOptions {
  readonly failed: (error: unknown) => false;
  readonly lineGraceMs: number;
}

function streamOf(fileDescriptor: number, { failed, lineGraceMs }: StreamOptions): TextStream {
  return {
    isTerminal: isatty(fileDescriptor),
    get columns() {
      return columnsOf(fileDescriptor);
    },
    write: (text) => {
      try {
        return writeAll(fileDescriptor, typeof text === "string" ? Buffer.from(text) : text);
      } catch (error) {
        return failed(error);
      }
    },
    writeAside: async (text, signal) => {
      try {
        const abort = { signal, lineGraceMs };
        return await writeAllAside(fileDescriptor, Buffer.from(text), abort);
      } catch (error) {
        return failed(error);
      }
    },
  };
}

function columnsOf(fileDescriptor: number): number {
  const stream = fileDescriptor === STANDARD_ERROR ? process.stderr : process.stdout;
  return stream.columns || DEFAULT_COLUMNS;
}

/** Writes all bytes, although a pipe may accept fewer. Drops them once the pipe is closed. */
function writeAll(fileDescriptor: number, bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fileDescriptor, bytes, at);
    } catch (error) {
      if (codeOf(error) === "EPIPE") return false;
      if (codeOf(error) !== "EAGAIN") throw error;
      Bun.sleepSync(FULL_PIPE_PAUSE_MS);
    }
  }
  return true;
}

interface Abort extends Pick<StreamOptions, "lineGraceMs"> {
  readonly signal: AbortSignal | undefined;
}

/**
 * Like `writeAll`, but also returns false once the signal is aborted. The process may exit then,
 * although another thread still writes: that write is one of whole lines, which the pipe takes as a
 * whole or not at all. Only a line that is longer needs several writes: once the first of them has
 * begun, the line is completed, unless its reader stops reading. A file needs no reader, so it gets
 * one write, which is awaited. Pieces cost about 20 us each, less than their lines cost a tail.
 */
async function writeAllAside(
  fileDescriptor: number,
  bytes: Uint8Array,
  { signal, lineGraceMs }: Abort,
): Promise<boolean> {
  const isFile = fstatSync(fileDescriptor).isFile();
  const isWhole = isFile || signal === undefined;
  const { promise: aborted, resolve: abort } = Promise.withResolvers<"aborted">();
  const stop = (): void => abort("aborted");
  signal?.addEventListener("abort", stop);
  try {
    for (let at = 0; at < bytes.length;) {
      const isBetweenLines = at === 0 || bytes[at - 1] === NEWLINE;
      if (isBetweenLines && signal?.aborted === true) return false;
      const end = isWhole ? bytes.length : endOfPiece(bytes, at);
      const writing = writePiece(fileDescriptor, bytes.subarray(at, end));
      const isWholeLines = end === bytes.length || bytes[end - 1] === NEWLINE;
      const mayStop = isBetweenLines && isWholeLines && !isFile;
      const given = mayStop ? aborted : pausedAfter(aborted, lineGraceMs);
      // oxlint-disable-next-line no-await-in-loop -- the next piece follows this one
      const written = await Promise.race([writing, given]);
      if (written === "closed" || written === "aborted") return false;
      at += written;
    }
    return true;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function pausedAfter<Result>(event: Promise<Result>, pauseMs: number): Promise<Result> {
  const result = await event;
  await new Promise<void>((resolve) => void SYSTEM_CLOCK.timeout(pauseMs, resolve));
  return result;
}

const NEWLINE = 0x0a;

/** Returns where a piece ends that begins here: after its last whole line, if it has one. */
function endOfPiece(bytes: Uint8Array, from: number): number {
  const end = from + ATOMIC_BYTES;
  if (end >= bytes.length) return bytes.length;
  const lastNewline = bytes.lastIndexOf(NEWLINE, end - 1);
  return lastNewline < from ? end : lastNewline + 1;
}

async function writePiece(fileDescriptor: number, piece: Uint8Array): Promise<number | "closed"> {
  const { promise, resolve, reject } = Promise.withResolvers<number | "closed">();
  write(fileDescriptor, piece, 0, piece.length, null, (error, written) => {
    if (error === null) resolve(written);
    else if (error.code === "EPIPE") resolve("closed");
    else if (error.code === "EAGAIN") setTimeout(resolve, FULL_PIPE_PAUSE_MS, 0);
    else reject(error);
  });
  return await promise;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
