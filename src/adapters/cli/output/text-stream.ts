import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { CommandFailure, EXIT_CODE } from "./exit-code.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";

/** Standard output or standard error, as far as a command needs them. */
export interface TextStream {
  /** Whether a person is watching, so that colours help. */
  readonly isTerminal: boolean;
  /** Width of the terminal; read anew each time, because windows change. */
  readonly columns: number;
  /** False when the reader has left, and there is no point in going on. */
  write(text: string | Uint8Array): boolean;
}

const DEFAULT_COLUMNS = 80;

/** How long to leave a full pipe alone whose other side made it non-blocking. */
const FULL_PIPE_PAUSE_MS = 5;

const STANDARD_ERROR = 2;

/**
 * For data. Writes at once, so that the program may end right after, and outlives a reader who has
 * left. Throws a failure when it cannot be written.
 */
export function openTextStream(fileDescriptor: number): TextStream {
  return streamOf(fileDescriptor, (error) => {
    const message = `cannot write to standard output: ${systemErrorText(error)}`;
    throw new CommandFailure(EXIT_CODE.cannotWrite, message);
  });
}

/** For messages: of one that cannot be written there is nobody to tell. */
export function openMessageStream(fileDescriptor: number): TextStream {
  return streamOf(fileDescriptor, () => false);
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

/** A pipe may take less than it is given. What nobody can read any more is dropped. */
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
