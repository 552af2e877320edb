import { NANOS_PER_MS } from "../time.ts";
/** Parses durations and instants as people write them, in nanoseconds and without rounding. */

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Fifteen digits on either side of the decimal point exceed the range of any clock. */
const DURATION = /^(\d{1,15})(?:\.(\d{1,15}))?(ns|us|ms|s|m|h)$/;

/** Returns the nanoseconds of a duration such as 250ms or 1.5s, rounded down. */
export function readDuration(text: string): bigint | undefined {
  const [, whole, fraction = "", unit] = DURATION.exec(text) ?? [];
  if (whole === undefined || unit === undefined) return undefined;
  const digits = BigInt(whole + fraction);
  return (digits * NANOSECONDS[unit]!) / 10n ** BigInt(fraction.length);
}

/**
 * Returns the Unix nanoseconds of an instant: RFC 3339, a date, a Unix time, or a duration, which
 * means that long ago.
 */
export function readInstant(text: string, nowUnixNano: bigint): bigint | undefined {
  const ago = readDuration(text);
  if (ago !== undefined) return nowUnixNano - ago;
  return readUnixTime(text) ?? readTimestamp(DATE.test(text) ? `${text}T00:00:00Z` : text);
}

/**
 * From 2001 to 2286, the number of digits implies the unit. Other numbers are rejected: in the
 * wrong unit, they would mean a time in 1970 or in the far future.
 */
const UNIX_SECONDS = /^([1-9]\d{9})(?:\.(\d{1,9}))?$/;
const UNIX_MS_US_NS = /^[1-9](?:\d{12}|\d{15}|\d{18})$/;

const NANOSECOND_DIGITS = 19;

function readUnixTime(text: string): bigint | undefined {
  if (text === "0") return 0n;
  const [, seconds, fraction = ""] = UNIX_SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return BigInt(seconds + fraction.padEnd(9, "0"));
  return UNIX_MS_US_NS.test(text) ? BigInt(text.padEnd(NANOSECOND_DIGITS, "0")) : undefined;
}

const DATE = /^\d{4}-\d\d-\d\d$/;

const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Parses RFC 3339. A leap second is rejected, because Unix time has none. */
function readTimestamp(text: string): bigint | undefined {
  const [, date, time, fraction = "", zone] = TIMESTAMP.exec(text) ?? [];
  if (date === undefined || zone === undefined) return undefined;
  const local = new Date(`${date}T${time}Z`);
  // `Date` interprets a day that the month does not have as a day of the next month.
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${date}T${time}`)) {
    return undefined;
  }
  const unixMs = local.getTime() - offsetMinutes(zone) * 60_000;
  return BigInt(unixMs) * NANOS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** Returns how far the zone is ahead of UTC. */
function offsetMinutes(zone: string): number {
  if (zone.toUpperCase() === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return zone.startsWith("-") ? -minutes : minutes;
}
