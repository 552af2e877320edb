const UNITS = [
  { name: "s", nanos: 1e9 },
  { name: "ms", nanos: 1e6 },
  { name: "µs", nanos: 1e3 },
  { name: "ns", nanos: 1 },
] as const;

/** Returns a duration with three significant digits: `1.25 s`, `980 µs`. */
export function durationText(nanos: number | null): string {
  if (nanos === null) return "unknown";
  const size = Math.abs(nanos);
  const unit = UNITS.find((each) => size >= each.nanos) ?? UNITS[3];
  return `${Number((nanos / unit.nanos).toPrecision(3))} ${unit.name}`;
}

/** Returns the local time of day with milliseconds. */
export function clockText(unixNano: bigint | null): string {
  if (unixNano === null) return "unknown";
  const date = new Date(Number(unixNano / 1_000_000n));
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => padded(part, 2))
    .join(":");
  return `${time}.${padded(date.getMilliseconds(), 3)}`;
}

function padded(part: number, digits: number): string {
  return String(part).padStart(digits, "0");
}

/** Returns a number with a space between groups of three digits. */
export function countText(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, "\u202F");
}

/** Returns `1 span`, `2 spans`. */
export function amountText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = bytes === 0 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

/** Returns a share of one as a percentage: `42 %`, `1.2 %`, `< 0.1 %`. */
export function percentText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.floor(percent)} %`;
}

/** Returns a rate with three significant digits: `0.25/s`, `12.5/s`, `12 300/s`. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return "unknown";
  const isLarge = perSecond >= 100;
  return `${isLarge ? countText(Math.round(perSecond)) : Number(perSecond.toPrecision(3))}/s`;
}

const AGES = [
  { name: "d", seconds: 86_400 },
  { name: "h", seconds: 3600 },
  { name: "min", seconds: 60 },
  { name: "s", seconds: 1 },
] as const;

/** Returns a time span in its two largest units: `45 s`, `3 min 20 s`, `2 d 4 h`. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const first = AGES.findIndex((each) => whole >= each.seconds);
  if (first < 0) return "0 s";
  const [large, small] = AGES.slice(first);
  const rest = small === undefined ? 0 : Math.floor((whole % large!.seconds) / small.seconds);
  const text = `${Math.floor(whole / large!.seconds)} ${large!.name}`;
  return rest === 0 ? text : `${text} ${rest} ${small!.name}`;
}

/** Returns a time of the API: the time of day and, unless it is today, the date. */
export function momentText(time: string | null, now: Date = new Date()): string {
  if (time === null) return "unknown";
  const date = new Date(time);
  const clock = clockText(BigInt(date.getTime()) * 1_000_000n).slice(0, 8);
  if (date.toDateString() === now.toDateString()) return clock;
  const day = [date.getMonth() + 1, date.getDate()].map((part) => padded(part, 2));
  return `${[date.getFullYear(), ...day].join("-")} ${clock}`;
}

export const COLOUR_COUNT = 12;

/** Returns the colour of a service, from 0 to 11. A service has it in every view and every run. */
export function colourOf(service: string): number {
  let hash = 2_166_136_261;
  for (const character of service) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16_777_619) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % COLOUR_COUNT;
}

/**
 * Returns a compact JSON object or array with indentation, and any other text unchanged: also JSON
 * that would read differently, such as a number of more digits than a double has.
 */
export function indentedText(text: string): string {
  if (!/^[{[]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}
