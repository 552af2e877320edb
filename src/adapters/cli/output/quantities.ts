import { NANOS_PER_MS } from "../../../domain/time.ts";

const TIME_UNITS = [
  { unit: "ns", nanos: 1 },
  { unit: "µs", nanos: 1e3 },
  { unit: "ms", nanos: 1e6 },
  { unit: "s", nanos: 1e9 },
] as const;

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Text for an unknown time or duration. */
const UNKNOWN = "unknown";

/** Returns `850 ns`, `12.3 ms`, `1 m 23 s`, `26 h 03 m`, or `unknown`. */
export function durationText(durationNano: bigint | undefined): string {
  if (durationNano === undefined) return UNKNOWN;
  if (durationNano < 0n) return `-${durationText(-durationNano)}`;
  const nanos = Number(durationNano);
  const fitting = TIME_UNITS.find((each) => figures(nanos / each.nanos) < 1000);
  if (fitting === undefined || nanos >= 60e9) return longDurationText(nanos / 1e9);
  return `${figuresText(nanos / fitting.nanos, fitting.unit === "ns")} ${fitting.unit}`;
}

function longDurationText(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m ${digits(whole % 60, 2)} s`;
  return `${countText(Math.floor(minutes / 60))} h ${digits(minutes % 60, 2)} m`;
}

/** Returns `512 B`, `4.20 MiB`. */
export function bytesText(bytes: number): string {
  const fitting = BYTE_UNITS.findIndex((_, power) => figures(bytes / 1024 ** power) < 1000);
  const power = fitting < 0 ? BYTE_UNITS.length - 1 : fitting;
  return `${figuresText(bytes / 1024 ** power, power === 0)} ${BYTE_UNITS[power]}`;
}

/** Returns `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** Returns `1,234/s`, `2.35/s`; or `unknown`. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return UNKNOWN;
  return perSecond >= 99.95
    ? `${countText(Math.round(perSecond))}/s`
    : `${figuresText(perSecond, false)}/s`;
}

/** Returns `1 span`, `2 spans`. */
export function countedText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns `5.3 %`; `0.0 %` if the whole is zero. */
export function percentText(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(1)} %`;
}

/** Returns `12:04:31.123` in the local time zone; or `unknown`. */
export function clockText(unixNano: bigint | undefined): string {
  if (unixNano === undefined) return UNKNOWN;
  const date = new Date(Number(unixNano / NANOS_PER_MS));
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()];
  if (Number.isNaN(hours)) return "--:--:--.---";
  const time = [hours, minutes, seconds].map((value) => digits(value, 2)).join(":");
  return `${time}.${digits(date.getMilliseconds(), 3)}`;
}

/** Returns `2026-11-24 12:04:31.123`; or `unknown`. */
export function dateText(unixNano: bigint | undefined): string {
  if (unixNano === undefined) return UNKNOWN;
  const date = new Date(Number(unixNano / NANOS_PER_MS));
  if (Number.isNaN(date.getTime())) return "invalid time";
  const day = [date.getMonth() + 1, date.getDate()].map((part) => digits(part, 2));
  return `${date.getFullYear()}-${day.join("-")} ${clockText(unixNano)}`;
}

/** Returns `2026-11-24 12:04:31.123456789`; or `unknown`. */
export function exactDateText(unixNano: bigint | undefined): string {
  if (unixNano === undefined) return UNKNOWN;
  return dateText(unixNano) + digits(Number(unixNano % NANOS_PER_MS), 6);
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, "0");
}

/** Rounds as the text will be, so that 999.9 does not become "1000". */
function figures(value: number): number {
  return value >= 100 ? Math.round(value) : value;
}

function figuresText(value: number, isWhole: boolean): string {
  if (isWhole || value >= 99.95) return String(Math.round(value));
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
