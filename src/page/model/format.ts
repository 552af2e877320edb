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

export const COLOUR_COUNT = 12;

/** Returns the colour of a service, from 0 to 11. A service has it in every view and every run. */
export function colourOf(service: string): number {
  let hash = 2_166_136_261;
  for (const character of service) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16_777_619) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % COLOUR_COUNT;
}
