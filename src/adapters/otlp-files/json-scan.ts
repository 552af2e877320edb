/**
 * Finds the end of a JSON document in successive chunks. It checks the grammar of everything except
 * numbers and words, which the parser checks later. A truncated document that precedes another one
 * is therefore detected at once, because there is no comma between them.
 *
 *     {"resourceSpans":[{"scopeSpans":[      cut off by a crash
 *     {"resourceSpans":[]}                   still fits, as a member of the list
 *     {"resourceSpans":[]}                   does not fit
 *     ^fault
 */
export interface JsonScan {
  /** The closing brackets of open values, innermost last. */
  readonly open: number[];
  state: number;
  /** The state after the current string. */
  afterString: number;
  /** The fault; empty if none was found. */
  fault: string;
}

export function createJsonScan(): JsonScan {
  return { open: [], state: VALUE, afterString: AFTER_VALUE, fault: "" };
}

/** The maximum nesting: far more than receivers accept, and little enough for any parser. */
const MAX_DEPTH = 1000;

const VALUE = 0;
const VALUE_OR_CLOSE = 1;
const KEY = 2;
const KEY_OR_CLOSE = 3;
const AFTER_KEY = 4;
const AFTER_VALUE = 5;
const STRING = 6;
const ESCAPE = 7;
const WORD = 8;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LINE_END = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Returns the index after the last byte of the document; -1 if it does not end in this chunk. */
export function scanJson(scan: JsonScan, chunk: Uint8Array): number {
  for (let at = 0; at < chunk.length; at += 1) {
    // Most bytes belong to strings, and nearly all of them do not change the state.
    if (scan.state === STRING) while (isPlain(chunk[at])) at += 1;
    const byte = chunk[at];
    if (byte === undefined) return -1;
    if (scan.state === STRING) scanStringByte(scan, byte);
    else if (scan.state === ESCAPE) scanEscapedByte(scan, byte);
    else if (scan.state !== WORD || !isWordByte(byte)) scanToken(scan, byte);
    if (scan.fault !== "") return -1;
    if (scan.state === AFTER_VALUE && scan.open.length === 0) return at + 1;
  }
  return -1;
}

export function isJsonSpace(byte: number): boolean {
  return byte === SPACE || byte === LINE_END || byte === 0x0d || byte === 0x09;
}

function isPlain(byte: number | undefined): boolean {
  return byte !== undefined && byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH;
}

function scanStringByte(scan: JsonScan, byte: number): void {
  if (byte === QUOTE) scan.state = scan.afterString;
  else if (byte === BACKSLASH) scan.state = ESCAPE;
  else if (byte < SPACE) scan.fault = faultInString(byte);
}

/** Skips an escaped byte, which the parser checks. No escape extends beyond a line. */
function scanEscapedByte(scan: JsonScan, byte: number): void {
  scan.state = STRING;
  if (byte < SPACE) scan.fault = faultInString(byte);
}

function faultInString(byte: number): string {
  return byte === LINE_END
    ? "the line ends within a string"
    : `a string contains ${byteText(byte)}`;
}

/** Reports whether a byte may be part of a number, `true`, `false` or `null`. */
function isWordByte(byte: number): boolean {
  const letter = byte | SPACE;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = letter >= 0x61 && letter <= 0x7a;
  return isDigit || isLetter || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function scanToken(scan: JsonScan, byte: number): void {
  if (scan.state === WORD) scan.state = AFTER_VALUE;
  if (isJsonSpace(byte)) return;
  if (!takes(scan, byte)) scan.fault ||= `unexpected ${byteText(byte)}`;
}

function takes(scan: JsonScan, byte: number): boolean {
  if (scan.state === AFTER_VALUE) return takesSeparator(scan, byte);
  if (scan.state === AFTER_KEY) return takesColon(scan, byte);
  const isInKey = scan.state === KEY || scan.state === KEY_OR_CLOSE;
  return isInKey ? takesKey(scan, byte) : takesValue(scan, byte);
}

function takesSeparator(scan: JsonScan, byte: number): boolean {
  const close = scan.open.at(-1);
  if (byte === close) return takesClose(scan);
  scan.state = close === CLOSE_BRACE ? KEY : VALUE;
  return byte === COMMA;
}

function takesColon(scan: JsonScan, byte: number): boolean {
  scan.state = VALUE;
  return byte === COLON;
}

function takesKey(scan: JsonScan, byte: number): boolean {
  if (byte === CLOSE_BRACE && scan.state === KEY_OR_CLOSE) return takesClose(scan);
  return byte === QUOTE && beginsString(scan, AFTER_KEY);
}

function takesValue(scan: JsonScan, byte: number): boolean {
  if (byte === QUOTE) return beginsString(scan, AFTER_VALUE);
  if (byte === OPEN_BRACE) return takesOpen(scan, CLOSE_BRACE, KEY_OR_CLOSE);
  if (byte === OPEN_BRACKET) return takesOpen(scan, CLOSE_BRACKET, VALUE_OR_CLOSE);
  if (byte === CLOSE_BRACKET && scan.state === VALUE_OR_CLOSE) return takesClose(scan);
  scan.state = WORD;
  return isWordByte(byte);
}

function takesOpen(scan: JsonScan, close: number, state: number): boolean {
  if (scan.open.length === MAX_DEPTH) scan.fault = `nested more than ${MAX_DEPTH} deep`;
  scan.open.push(close);
  scan.state = state;
  return scan.fault === "";
}

function takesClose(scan: JsonScan): boolean {
  scan.open.pop();
  scan.state = AFTER_VALUE;
  return true;
}

function beginsString(scan: JsonScan, after: number): boolean {
  scan.state = STRING;
  scan.afterString = after;
  return true;
}

/** Names a byte in words, or quotes it if it is a visible ASCII character. */
function byteText(byte: number): string {
  if (byte === LINE_END) return "a line end";
  const isVisible = byte > SPACE && byte < 0x7f;
  return isVisible
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}
