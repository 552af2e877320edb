export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const PROTOBUF_TYPE = "application/x-protobuf";
export const EVENT_STREAM_TYPE = "text/event-stream";

/** The forms of a list of spans, in order of preference. */
export const SPAN_TYPES = [JSON_TYPE, PROTOBUF_TYPE, NDJSON_TYPE] as const;
export type SpanType = (typeof SPAN_TYPES)[number];

/** The forms of an endless list of spans, in order of preference. */
export const TAIL_TYPES = [NDJSON_TYPE, EVENT_STREAM_TYPE] as const;
export type TailType = (typeof TAIL_TYPES)[number];

interface MediaRange {
  readonly range: string;
  /** The preference, from 0 (refused) to 1. */
  readonly quality: number;
}

interface Rating<Type> {
  readonly type: Type;
  readonly quality: number;
  /** The precision: 2 for a whole type, 1 for the part before the slash, 0 for neither. */
  readonly precision: number;
}

/**
 * Returns the offered type that the client prefers, or undefined if it accepts none. Among types of
 * equal quality, a type that is named wins over one that a wildcard covers: a client that sends
 * "application/x-protobuf, *" with a wildcard wants protobuf. Otherwise the first offer wins.
 *
 * Source: RFC 9110, 12.5.1.
 */
export function chooseMediaType<Type extends string>(
  accept: string | null,
  offered: readonly Type[],
): Type | undefined {
  if (accept === null || accept.trim() === "") return offered[0];
  const ranges = accept.split(",").map(parseRange);
  const wanted = offered.map((type) => rate(type, ranges)).filter(({ quality }) => quality > 0);
  return wanted.toSorted(byPreference)[0]?.type;
}

function byPreference(one: Rating<string>, other: Rating<string>): number {
  return other.quality - one.quality || other.precision - one.precision;
}

/** Returns the quality of a type: that of the most precise range that covers it. */
function rate<Type extends string>(type: Type, ranges: readonly MediaRange[]): Rating<Type> {
  const names = ["*/*", `${type.split("/")[0]}/*`, type];
  const covering = ranges
    .map(({ range, quality }) => ({ type, quality, precision: names.indexOf(range) }))
    .filter(({ precision }) => precision >= 0);
  const none = { type, quality: 0, precision: 0 };
  return covering.toSorted((one, other) => other.precision - one.precision)[0] ?? none;
}

/** Parses a range, and ignores one whose quality is not a number from 0 to 1. */
function parseRange(text: string): MediaRange {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const isValid = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(quality);
  return { range, quality: isValid ? Number(quality) : 0 };
}
