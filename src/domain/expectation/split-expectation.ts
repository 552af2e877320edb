import type { ExpectationMistake } from "./expectation.ts";

/** The words and the sign that separate the parts of an expectation. */
const JOINTS = ["&", "directly under", "under", "linked to", "before", "have"] as const;
export type Joint = (typeof JOINTS)[number];

/** A condition or a count of an expectation. */
export interface Part {
  /** The joint before it; undefined for the first part. */
  readonly joint: Joint | undefined;
  /** The text up to a quoted value, without spaces around it. */
  readonly plain: string;
  /** The quoted value at its end, without the quotes. */
  readonly quoted: string | undefined;
  /** The part as written. */
  readonly written: string;
  readonly column: number;
}

/** The position of a splitter in its text. */
interface Splitter {
  readonly text: string;
  readonly parts: Part[];
  at: number;
  /** Where the current part and a quoted value at its end begin. */
  partAt: number;
  quoteAt: number | undefined;
  quoted: string | undefined;
  joint: Joint | undefined;
}

const SPACE = /\s/;
/** A quote begins a value only after one of these; elsewhere it belongs to a text. */
const BEFORE_VALUE = /[=<>]\s*$/;

/**
 * Splits an expectation at ` & ` and at the joints that are words of their own, except within
 * quoted values. `have` separates only after `all`.
 */
export function splitExpectation(
  text: string,
  { start, hasRequirement }: { readonly start: number; readonly hasRequirement: boolean },
): Part[] | ExpectationMistake {
  const splitter: Splitter = {
    text,
    parts: [],
    at: start,
    partAt: start,
    quoteAt: undefined,
    quoted: undefined,
    joint: undefined,
  };
  while (splitter.at < text.length) {
    const joint = jointAt(splitter, hasRequirement);
    if (joint !== undefined) beginPart(splitter, joint);
    else if (isOpeningQuote(splitter)) {
      const mistake = readQuoted(splitter);
      if (mistake !== undefined) return mistake;
    } else splitter.at += 1;
  }
  endPart(splitter);
  return splitter.parts;
}

/** Matches a joint between spaces. */
const JOINT = /(?:&|(?:directly\s+)?under|linked\s+to|before|have)(?=\s|$)/y;

function jointAt({ text, at }: Splitter, hasRequirement: boolean): string | undefined {
  if (at > 0 && !SPACE.test(text[at - 1]!)) return undefined;
  JOINT.lastIndex = at;
  const found = JOINT.exec(text)?.[0];
  return found === "have" && !hasRequirement ? undefined : found;
}

function beginPart(splitter: Splitter, written: string): void {
  endPart(splitter);
  const joint = written.replace(/\s+/, " ");
  splitter.joint = JOINTS.find((known) => known === joint);
  splitter.at += written.length;
  splitter.partAt = splitter.at;
  splitter.quoteAt = splitter.quoted = undefined;
}

function endPart(splitter: Splitter): void {
  const { text, parts, at, partAt, quoteAt, quoted, joint } = splitter;
  const raw = text.slice(partAt, at);
  const column = partAt + (raw.length - raw.trimStart().length) + 1;
  const plain = text.slice(partAt, quoteAt ?? at).trim();
  parts.push({ joint, plain, quoted, written: raw.trim(), column });
}

function isOpeningQuote({ text, at, partAt, quoted }: Splitter): boolean {
  const isQuote = text[at] === "'" || text[at] === '"';
  return isQuote && quoted === undefined && BEFORE_VALUE.test(text.slice(partAt, at));
}

/** Reads a quoted value, in which a backslash stands before a quote or a backslash. */
function readQuoted(splitter: Splitter): ExpectationMistake | undefined {
  const { text, at: quoteAt } = splitter;
  const quote = text[quoteAt]!;
  let value = "";
  let at = quoteAt + 1;
  for (; at < text.length && text[at] !== quote; at += 1) {
    const isEscape = text[at] === "\\" && (text[at + 1] === quote || text[at + 1] === "\\");
    if (isEscape) at += 1;
    value += text[at]!;
  }
  if (at >= text.length) return { column: quoteAt + 1, mistake: unclosed(quote) };
  splitter.at = at + 1;
  splitter.quoteAt = quoteAt;
  splitter.quoted = value;
  const next = text[splitter.at];
  if (next === undefined || SPACE.test(next)) return textAfterQuote(splitter);
  return { column: splitter.at + 1, mistake: AFTER_QUOTE };
}

/** Returns a mistake if something other than a joint follows a quoted value. */
function textAfterQuote({ text, at }: Splitter): ExpectationMistake | undefined {
  const rest = text.slice(at);
  const nextAt = at + (rest.length - rest.trimStart().length);
  JOINT.lastIndex = nextAt;
  return nextAt === text.length || JOINT.test(text)
    ? undefined
    : { column: nextAt + 1, mistake: AFTER_QUOTE };
}

const AFTER_QUOTE = `a quoted value ends before this; continue with one of ${JOINTS.join(", ")}`;

function unclosed(quote: string): string {
  const other = quote === "'" ? '"' : "'";
  return `this quote is not closed; close it, or quote the value with ${other}`;
}
