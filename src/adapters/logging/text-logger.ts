import type { LogFields, Logger } from "../../ports/logger.ts";
import { LEVELS, type LogLevel, plain } from "./pino-logger.ts";

/** Where lines go. */
interface LineStream {
  write(line: string): void;
}

/**
 * Returns a logger for people, who read `12:04:31 WARNING configuration variable=API_HOST`, one
 * line for each event. Events in `hidden` are not written at INFO: something else reports them.
 */
export function createTextLogger(
  level: LogLevel,
  stream: LineStream,
  hidden: ReadonlySet<string> = new Set(),
): Logger {
  const least = LEVELS[lowerCase(level)];
  const logAt =
    (lineLevel: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      const isHidden = lineLevel === "INFO" && hidden.has(event);
      if (LEVELS[lowerCase(lineLevel)] < least || isHidden) return;
      stream.write(lineText(lineLevel, event, fields));
    };
  return {
    debug: logAt("DEBUG"),
    info: logAt("INFO"),
    warning: logAt("WARNING"),
    error: logAt("ERROR"),
  };
}

function lowerCase(level: LogLevel): Lowercase<LogLevel> {
  return level.toLowerCase() as Lowercase<LogLevel>;
}

const LEVEL_COLUMNS = "WARNING".length;

/** Reports many counts in its objects, of which only those that are not 0 matter to a person. */
const COUNTING_EVENT = "stopped";

function lineText(level: LogLevel, event: string, fields: LogFields): string {
  const time = new Date().toTimeString().slice(0, "12:04:31".length);
  const isShown = (member: unknown): boolean => event !== COUNTING_EVENT || member !== 0;
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    pairsOf(name, plain(value), isShown),
  );
  const text = [time, level.padEnd(LEVEL_COLUMNS), event, ...pairs].join(" ");
  return `${text.replaceAll(UNSAFE, escaped)}\n`;
}

/** Returns a field as words; the members of an object become `spans.received=3`, for example. */
function pairsOf(name: string, value: unknown, isShown: (member: unknown) => boolean): string[] {
  if (value === undefined) return [];
  if (!isRecord(value)) return [`${name}=${valueText(value)}`];
  const members = Object.entries(value).filter(([, member]) => isShown(member));
  return members.flatMap(([key, member]) => pairsOf(`${name}.${key}`, member, isShown));
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Matches text that needs no quotes. */
const WORD = /^[^\s"=]+$/;

function valueText(value: unknown): string {
  return typeof value === "string" && WORD.test(value) ? value : JSON.stringify(value);
}

/** Characters that a terminal would interpret. JSON escapes only some of them. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
