import type { TextStream } from "../../../src/adapters/cli/output/text-stream.ts";

/** A stream that keeps what is written to it. */
export interface WrittenText extends TextStream {
  text(): string;
  bytes(): Uint8Array;
}

/** The reader leaves, if ever, when `readerLeavesAfter` pieces are written. */
export function writtenText(
  isTerminal = false,
  columns = 80,
  readerLeavesAfter = Infinity,
): WrittenText {
  const pieces: Buffer[] = [];
  const write = (piece: string | Uint8Array): boolean => {
    if (pieces.length >= readerLeavesAfter) return false;
    pieces.push(Buffer.from(piece as Uint8Array));
    return true;
  };
  const bytes = () => Buffer.concat(pieces);
  return { isTerminal, columns, write, text: () => bytes().toString(), bytes };
}
