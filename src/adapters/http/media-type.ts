/** In order of our preference: the first is given to whoever takes anything. */
const OFFERED = ["application/json", "application/x-protobuf"] as const;

export type MediaType = (typeof OFFERED)[number];

export const JSON_TYPE: MediaType = "application/json";

interface MediaRange {
  readonly range: string;
  /** From 0, not wanted, to 1. */
  readonly quality: number;
}

interface Rating {
  readonly type: MediaType;
  readonly quality: number;
  /** Of the range that decides: 2 names the type, 1 only the part before the slash, 0 neither. */
  readonly precision: number;
}

/**
 * The type that the client likes best, or undefined when it takes neither. Of types it likes
 * equally, one that it names wins over one that a wildcard covers: who writes
 * "application/x-protobuf, *" with a wildcard means protobuf.
 *
 * Source: RFC 9110, 12.5.1.
 */
export function chooseMediaType(accept: string | null): MediaType | undefined {
  if (accept === null || accept.trim() === "") return JSON_TYPE;
  const ranges = accept.split(",").map(parseRange);
  const wanted = OFFERED.map((type) => rate(type, ranges)).filter(({ quality }) => quality > 0);
  return wanted.toSorted(byLiking)[0]?.type;
}

function byLiking(one: Rating, other: Rating): number {
  return other.quality - one.quality || other.precision - one.precision;
}

/** The most precise range that covers a type decides about it. */
function rate(type: MediaType, ranges: readonly MediaRange[]): Rating {
  const names = ["*/*", "application/*", type];
  const covering = ranges
    .map(({ range, quality }) => ({ type, quality, precision: names.indexOf(range) }))
    .filter(({ precision }) => precision >= 0);
  const none = { type, quality: 0, precision: 0 };
  return covering.toSorted((one, other) => other.precision - one.precision)[0] ?? none;
}

/** A quality that is not a number from 0 to 1 says nothing, so the range is not counted. */
function parseRange(text: string): MediaRange {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const isValid = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(quality);
  return { range, quality: isValid ? Number(quality) : 0 };
}
