import { closeSync, openSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { isatty } from "node:tty";
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
}

const DEFAULT_COLUMNS = 80;

/** The pause before writing again to a full pipe that its reader has made non-blocking. */
const FULL_PIPE_PAUSE_MS = 5;

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/**
 * Opens a stream for data. It writes synchronously, so that the program may exit right after, and
 * survives a reader that closes the pipe. Throws a failure if it cannot write.
 */
export function openTextStream(fileDescriptor: number): TextStream {
  return streamOf(fileDescriptor, (error) => {
    const message = `cannot write to standard output: ${systemErrorText(error)}`;
    throw new CommandFailure(EXIT_CODE.cannotWrite, message);
  });
}

/** Opens a stream for messages. One that cannot be written is dropped: no stream is left for it. */
export function openMessageStream(fileDescriptor: number): TextStream {
  return streamOf(fileDescriptor, () => false);
}

/**
 * Closes standard output for its reader. It becomes the null device, because a file that is opened
 * later would get its number, and whatever is printed.
 */
export function releaseOutput(fileDescriptor = STANDARD_OUTPUT): void {
  closeSync(fileDescriptor);
  openSync(devNull, "w");
}

function streamOf(fileDescriptor: number, failed: (error: unknown) => false): TextStream {
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

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
