import { pino } from "pino";
import type { DestinationStream } from "pino";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { LogFields, Logger } from "../../ports/logger.ts";

/** In pino's spelling: it takes no capitals. */
const LEVELS = { debug: 20, info: 30, warning: 40, error: 50 } as const;

type PinoLevel = keyof typeof LEVELS;

export type LogLevel = Uppercase<PinoLevel>;

/** Writes `{"time":"...","level":"INFO","event":"listening",...}` to `stream`, a line an event. */
export function createLogger(level: LogLevel, stream: DestinationStream): Logger {
  const lines = pinoWith(level, stream);
  return {
    // Asked for at every buffer operation, so a line that nobody wants is not even put together.
    debug: (event, fields) => {
      if (level === "DEBUG") lines.debug(line("DEBUG", event, fields));
    },
    info: (event, fields) => lines.info(line("INFO", event, fields)),
    warning: (event, fields) => lines.warning(line("WARNING", event, fields)),
    error: (event, fields) => lines.error(line("ERROR", event, fields)),
  };
}

/**
 * pino puts level before time and the event last. To get time, level and event first, whatever
 * follows, it is asked for no level of its own, and for a time without the comma that joins them.
 */
function pinoWith(level: LogLevel, stream: DestinationStream) {
  return pino<PinoLevel, true>(
    {
      level: level.toLowerCase(),
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      base: null,
      formatters: { level: () => ({}) },
      timestamp: () => `"time":"${new Date().toISOString()}"`,
    },
    stream,
  );
}

/** Level and event come first and are ours: a field of the same name does not replace them. */
function line(level: LogLevel, event: string, fields: LogFields = {}): LogFields {
  const entries = Object.entries(fields).filter(([name]) => !RESERVED.has(name));
  return {
    level,
    event,
    ...Object.fromEntries(entries.map(([name, value]) => [name, plain(value)])),
  };
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "event"]);

/** JSON has nothing to say about errors, whose text may well quote a peer. */
function plain(value: unknown): unknown {
  return value instanceof Error ? quotePeerText(`${value.name}: ${value.message}`) : value;
}
