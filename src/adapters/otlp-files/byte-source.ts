/**
 * A stream of bytes to be read in pieces of any length. No more is held than the piece asked for,
 * and the chunk it ends in.
 *
 *   ...taken |  held chunks: [....][........][...]  | to come
 *            ^offsetBytes
 */
export interface ByteSource {
  readonly chunks: AsyncIterator<Uint8Array>;
  held: Uint8Array[];
  heldBytes: number;
  offsetBytes: number;
  /** From 1; moved by `takeLine`. */
  lineNumber: number;
}

export function openSource(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  return { chunks: iterator, held: [], heldBytes: 0, offsetBytes: 0, lineNumber: 1 };
}

/** The next bytes, which stay; fewer than asked for only at the end. */
export async function peekBytes(source: ByteSource, lengthBytes: number): Promise<Uint8Array> {
  while (source.heldBytes < lengthBytes) {
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    if (!(await holdChunk(source))) break;
  }
  return joined(source).subarray(0, lengthBytes);
}

/** The next bytes; fewer than asked for only at the end. */
export async function takeBytes(source: ByteSource, lengthBytes: number): Promise<Uint8Array> {
  const bytes = await peekBytes(source, lengthBytes);
  dropBytes(source, bytes.length);
  return bytes;
}

const LINE_END = 0x0a;

/** The next line without its end, or undefined after the last. */
export async function takeLine(
  source: ByteSource,
  mostBytes: number,
): Promise<Uint8Array | "too long" | undefined> {
  let searched = 0;
  let end = -1;
  for (;;) {
    end = lineEndIn(source, searched);
    searched = source.heldBytes;
    if (end >= 0 || searched > mostBytes) break;
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    if (!(await holdChunk(source))) break;
  }
  if (end < 0 && searched > mostBytes) return "too long";
  if (end < 0 && searched === 0) return undefined;
  const bytes = joined(source).subarray(0, end < 0 ? searched : end);
  dropBytes(source, end < 0 ? searched : end + 1);
  source.lineNumber += 1;
  return bytes;
}

/** Where the first line end is that is not among the first `from` bytes; -1 for none. */
function lineEndIn({ held }: ByteSource, from: number): number {
  let before = 0;
  for (const chunk of held) {
    const found = chunk.indexOf(LINE_END, Math.max(0, from - before));
    if (found >= 0) return before + found;
    before += chunk.length;
  }
  return -1;
}

async function holdChunk(source: ByteSource): Promise<boolean> {
  const { value, done } = await source.chunks.next();
  if (done === true) return false;
  source.held.push(value);
  source.heldBytes += value.length;
  return true;
}

/** All that is held, in one piece. */
function joined(source: ByteSource): Uint8Array {
  const [first = new Uint8Array(0), second] = source.held;
  if (second === undefined) return first;
  const all = Buffer.concat(source.held);
  source.held = [all];
  return all;
}

function dropBytes(source: ByteSource, lengthBytes: number): void {
  const rest = joined(source).subarray(lengthBytes);
  source.held = rest.length === 0 ? [] : [rest];
  source.heldBytes = rest.length;
  source.offsetBytes += lengthBytes;
}
