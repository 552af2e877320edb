import type { TextStream } from "../../src/adapters/cli/text-stream.ts";

/** A stream that keeps what is written to it. */
export interface WrittenText extends TextStream {
  text(): string;
}

export function writtenText(isTerminal = false): WrittenText {
  const pieces: string[] = [];
  return { isTerminal, write: (piece) => pieces.push(piece), text: () => pieces.join("") };
}
