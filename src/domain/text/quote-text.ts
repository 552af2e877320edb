const LIMIT_BYTES = 256;
const CUT_MARK = "…";
const CUT_MARK_BYTES = 3;

/**
 * Characters that are unsafe in a terminal or a log: control characters (they move cursors and
 * forge lines), format characters (they reverse text), line separators, halves of surrogate pairs,
 * and the backslash, so that an escape differs from the same text sent by a peer.
 */
const UNSAFE = /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Returns a peer's text in a form that is safe for a log line: escaped, and truncated to 256 bytes
 * of UTF-8, with `…` at the end if truncated.
 */
export function quotePeerText(text: string): string {
  const escaped = text.slice(0, LIMIT_BYTES).replaceAll(UNSAFE, escapeCharacter);
  const isWhole = text.length <= LIMIT_BYTES && byteLength(escaped) <= LIMIT_BYTES;
  return isWhole ? escaped : firstBytes(escaped, LIMIT_BYTES - CUT_MARK_BYTES) + CUT_MARK;
}

/** Returns a peer's text in a form that is safe for a terminal: escaped, and not truncated. */
export function escapePeerText(text: string): string {
  return text.replaceAll(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === "\\") return "\\\\";
  if (character === "\n") return "\\n";
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Returns the beginning of a text. `encodeInto` stops before the first character that does not fit.
 */
function firstBytes(text: string, lengthBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(lengthBytes));
  return text.slice(0, read);
}

/**
 * Text that is replaced wherever it is printed, logged or serialized, so that no future log line
 * can reveal it.
 */
export class SecretText {
  readonly #text: string;
  readonly #shown: string;

  constructor(text: string, shown = text === "" ? "" : "***") {
    this.#text = text;
    this.#shown = shown;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  /** Used by consoles and by messages of failed tests. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#shown;
  }
}
