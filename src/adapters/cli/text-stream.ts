import { writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Standard output or standard error, as far as a command needs them. */
export interface TextStream {
  /** Whether a person is watching, so that colours help. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Writes at once, so that the program may end right after, and outlives a reader who has left. */
export function openTextStream(fileDescriptor: number): TextStream {
  return {
    isTerminal: isatty(fileDescriptor),
    write: (text) => writeAll(fileDescriptor, Buffer.from(text)),
  };
}

/** A pipe may take less than it is given. What nobody can read any more is dropped. */
function writeAll(fileDescriptor: number, bytes: Uint8Array): void {
  try {
    let at = 0;
    while (at < bytes.length) at += writeSync(fileDescriptor, bytes, at);
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
