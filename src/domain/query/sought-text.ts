/**
 * A text to find in UTF-8. Upper and lower case of ASCII letters are equal; all other characters
 * must be the same.
 */
export interface SoughtText {
  /** The text in lower case. */
  readonly bytes: Uint8Array;
  /** How far the window moves on, by the byte at its end; 0 if the text may end there. */
  readonly skips: Uint32Array;
  /** How far it moves on if the text does not end there after all. */
  readonly finalSkip: number;
  /** At each position, the length of the longest beginning that also ends there. */
  readonly borders: Uint32Array;
}

/** The result of a search that finds nothing. */
export const NOT_FOUND = -1;

/** The lower case of each byte. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

export function soughtText(text: string): SoughtText {
  const bytes = new TextEncoder().encode(text).map((byte) => FOLD[byte]!);
  const last = bytes.length - 1;
  const beforeLast = bytes.slice(0, -1);
  const distances = Array.from(FOLD, (byte) => last - beforeLast.lastIndexOf(byte));
  const skips = Uint32Array.from(FOLD, (byte, raw) => (byte === bytes[last] ? 0 : distances[raw]!));
  return { bytes, skips, finalSkip: distances[bytes[last] ?? 0]!, borders: bordersOf(bytes) };
}

function bordersOf(bytes: Uint8Array): Uint32Array {
  const borders = new Uint32Array(bytes.length);
  for (let at = 1, matched = 0; at < bytes.length; at += 1) {
    while (matched > 0 && bytes[at] !== bytes[matched]) matched = borders[matched - 1]!;
    if (bytes[at] === bytes[matched]) matched += 1;
    borders[at] = matched;
  }
  return borders;
}

export function isFoundIn(
  sought: SoughtText,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  return indexIn(sought, bytes, start, end) !== NOT_FOUND;
}

/**
 * Returns the first offset of the text between `start` and `end`, or `NOT_FOUND`.
 *
 * The window moves by the byte at its end (Horspool), so most bytes are never read. Repetitive
 * bytes would take time in proportion to both lengths; once more bytes have been compared than
 * there are, the search goes on with `indexByBorders`, whose time is linear.
 *
 *     G E T   / c a r t         sought: cart
 *     [       ]                 "/" is not in the text: the window moves by its length
 */
export function indexIn(sought: SoughtText, bytes: Uint8Array, start: number, end: number): number {
  const { bytes: wanted, skips, finalSkip } = sought;
  const last = wanted.length - 1;
  if (last < 0) return start;
  let compared = 0;
  for (let at = start + last; at < end;) {
    const skip = skips[bytes[at]!]!;
    at += skip;
    if (skip > 0) continue;
    let index = last - 1;
    while (index >= 0 && FOLD[bytes[at - last + index]!] === wanted[index]) index -= 1;
    if (index < 0) return at - last;
    compared += last - index;
    if (compared > end - start) return indexByBorders(sought, bytes, at - last, end);
    at += finalSkip;
  }
  return NOT_FOUND;
}

/** Searches without ever going back in `bytes` (Knuth, Morris, Pratt). */
function indexByBorders(
  { bytes: wanted, borders }: SoughtText,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let matched = 0;
  for (let at = start; at < end; at += 1) {
    const byte = FOLD[bytes[at]!];
    while (matched > 0 && byte !== wanted[matched]) matched = borders[matched - 1]!;
    if (byte === wanted[matched]) matched += 1;
    if (matched === wanted.length) return at + 1 - matched;
  }
  return NOT_FOUND;
}

/** Reports whether the text is at `at`, before `end`. */
export function isFoundAt(
  { bytes: wanted }: SoughtText,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (at + wanted.length > end) return false;
  for (let index = wanted.length - 1; index >= 0; index -= 1) {
    if (FOLD[bytes[at + index]!] !== wanted[index]) return false;
  }
  return true;
}

/** A pattern: the texts between its asterisks, each of which stands for any text. */
export type TextPattern = readonly SoughtText[];

export function textPattern(pattern: string): TextPattern {
  return pattern.split("*").map(soughtText);
}

/** Reports whether the text from `start` to `end` has this pattern, as a whole. */
export function hasPattern(
  pattern: TextPattern,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const first = pattern[0]!;
  const last = pattern.at(-1)!;
  if (!isFoundAt(first, bytes, start, end)) return false;
  if (pattern.length === 1) return end - start === first.bytes.length;
  const endOfMiddle = end - last.bytes.length;
  let at = start + first.bytes.length;
  if (endOfMiddle < at || !isFoundAt(last, bytes, endOfMiddle, end)) return false;
  // The earliest place of each text leaves the most room for the next one.
  for (let index = 1; index < pattern.length - 1; index += 1) {
    const found = indexIn(pattern[index]!, bytes, at, endOfMiddle);
    if (found === NOT_FOUND) return false;
    at = found + pattern[index]!.bytes.length;
  }
  return true;
}
