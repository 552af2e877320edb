/**
 * Whether bytes are whole zstd frames and nothing else. Decompressing does not say so on Bun 1.4.5:
 * of a body that was cut short it gives what there is, without an error.
 *
 *     frame   [28 b5 2f fd][descriptor, 1][window, id, size: 0 to 14][block]...[checksum, 0 or 4]
 *     block   [bit 0: last; bits 1-2: type; 21 bits: size][that many bytes, or 1 of type RLE]
 *     skip    [50 to 5f 2a 4d 18][length, 4][that many bytes]
 *
 * Source: RFC 8878, section 3.1.
 */
export function areWholeZstdFrames(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  do {
    at = frameEnd(view, at);
  } while (at !== CUT_SHORT && at < view.byteLength);
  return at === view.byteLength;
}

const CUT_SHORT = -1;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const RLE = 1;
const WIDTHS_OF_ID = [0, 1, 2, 4];
const WIDTHS_OF_SIZE = [0, 2, 4, 8];

/** Behind the frame that begins at `at`. */
function frameEnd(view: DataView, at: number): number {
  if (at + 8 > view.byteLength) return CUT_SHORT;
  const magic = view.getUint32(at, true);
  if (magic >>> 4 === SKIPPABLE) return within(view, at + 8 + view.getUint32(at + 4, true));
  if (magic !== MAGIC) return CUT_SHORT;
  const descriptor = view.getUint8(at + 4);
  const blocksEnd = lastBlockEnd(view, at + 5 + headerWidth(descriptor));
  const hasChecksum = (descriptor & 0x04) !== 0;
  return blocksEnd === CUT_SHORT ? CUT_SHORT : within(view, blocksEnd + (hasChecksum ? 4 : 0));
}

/** A single segment has no window, and always its size. */
function headerWidth(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const widthOfSize = WIDTHS_OF_SIZE[descriptor >>> 6] ?? 0;
  const widthOfId = WIDTHS_OF_ID[descriptor & 3] ?? 0;
  return widthOfId + (isSingleSegment ? Math.max(1, widthOfSize) : 1 + widthOfSize);
}

function lastBlockEnd(view: DataView, blocksAt: number): number {
  let at = blocksAt;
  for (let isLast = false; !isLast;) {
    if (at + 3 > view.byteLength) return CUT_SHORT;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    isLast = (header & 1) !== 0;
    at += 3 + (((header >>> 1) & 3) === RLE ? 1 : header >>> 3);
  }
  return at;
}

function within(view: DataView, at: number): number {
  return at <= view.byteLength ? at : CUT_SHORT;
}
