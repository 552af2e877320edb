import { pino, type DestinationStream } from "pino";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { LogFields, Logger } from "../../ports/logger.ts";
import { write } from "node:fs";

/** The lines that are kept while the descriptor accepts none. Later lines are dropped. */
const BACKLOG_BYTES = 1024 * 1024;

/**
 * Writes lines to a descriptor that may be slow, full or broken without ever blocking the program:
 * a blocking write to a pipe waits while its reader pauses. So another thread does one write at a
 * time, and lines that arrive meanwhile form the next one.
 *
 * Invariant: waitingBytes <= BACKLOG_BYTES, and lines are written in the order of arrival.
 */
export class LineWriter implements DestinationStream {
  // Fixed at construction.
  private readonly fileDescriptor: number;

  // Moved by `write` and the end of each write to the descriptor.
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private writing: Promise<void> | undefined;

  constructor(fileDescriptor: number) {
    this.fileDescriptor = fileDescriptor;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > BACKLOG_BYTES) return;
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.writing ??= this.writeAll();
  }

  /** Resolves when all lines are written, or dropped because they cannot be. */
  async flush(): Promise<void> {
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one write at a time is the point
    while (this.waiting.length > 0) await writeWhole(this.fileDescriptor, this.takeWaiting());
    this.writing = undefined;
  }

  private takeWaiting(): Buffer {
    const bytes = Buffer.concat(this.waiting.splice(0));
    this.waitingBytes = 0;
    return bytes;
  }
}

/**
 * Writes all bytes, in several writes if a pipe accepts fewer. Bytes that it refuses (EPIPE,
 * ENOSPC) are dropped.
 */
async function writeWhole(fileDescriptor: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    // oxlint-disable-next-line no-await-in-loop -- the next piece follows this one
    const written = await writePiece(fileDescriptor, bytes.subarray(at));
    if (written === 0) return;
    at += written;
  }
}

/** Resolves to the number of bytes written; 0 when the write failed. */
function writePiece(fileDescriptor: number, bytes: Buffer): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  write(fileDescriptor, bytes, 0, bytes.length, null, (error, written) =>
    resolve(error === null ? written : 0),
  );
  return promise;
}

/** The levels in lower case, as pino requires. */
export const LEVELS = { debug: 20, info: 30, warning: 40, error: 50 } as const;

type PinoLevel = keyof typeof LEVELS;

export type LogLevel = Uppercase<PinoLevel>;

/**
 * Returns a logger that writes `{"time":"...","level":"INFO","event":"listening",...}`, one line
 * for each event.
 */
export function createLogger(level: LogLevel, stream: DestinationStream): Logger {
  const lines = pinoWith(level, stream);
  return {
    // Checked first, because every buffer operation calls this: an unwanted line is not even built.
    debug: (event, fields) => {
      if (level === "DEBUG") lines.debug(entry("DEBUG", event, fields));
    },
    info: (event, fields) => lines.info(entry("INFO", event, fields)),
    warning: (event, fields) => lines.warning(entry("WARNING", event, fields)),
    error: (event, fields) => lines.error(entry("ERROR", event, fields)),
  };
}

/**
 * Configures pino so that time, level and event come first. By default it writes the level before
 * the time and the event last, so it gets no level of its own, and a time without the leading
 * comma.
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

/** Builds the fields of a line. Fields with the reserved names cannot replace level and event. */
function entry(level: LogLevel, event: string, fields: LogFields = {}): LogFields {
  const entries = Object.entries(fields).filter(([name]) => !RESERVED.has(name));
  return {
    level,
    event,
    ...Object.fromEntries(entries.map(([name, value]) => [name, plain(value)])),
  };
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "event"]);

/** Turns errors into quoted text: JSON would lose them, and their text may quote a peer. */
export function plain(value: unknown): unknown {
  return value instanceof Error ? quotePeerText(`${value.name}: ${value.message}`) : value;
}
