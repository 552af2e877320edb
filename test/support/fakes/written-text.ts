import type { TextStream } from "../../../src/adapters/cli/output/text-stream.ts";

/** A stream that records what is written to it. */
export interface WrittenText extends TextStream {
  text(): string;
  bytes(): Uint8Array;
}

/** Returns a stream whose reader leaves after `readerLeavesAfter` writes, if given. */
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
  return { isTerminal, columns, write, writeAside, text: () => bytes().toString(), bytes };
}

/** Writes through `this`, that is, to a stream whose `write` replaces the recording one. */
async function writeAside(this: Pick<TextStream, "write">, text: string): Promise<boolean> {
  return this.write(text);
}
