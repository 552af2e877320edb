import { pino, type DestinationStream } from "pino";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { LogFields, Logger } from "../../ports/logger.ts";
import { write } from "node:fs";

/** Kept while the descriptor takes nothing. Later lines are dropped. */
const BACKLOG_BYTES = 1024 * 1024;

/**
 * Lines for a descriptor that may be slow, full or broken, none of which may stop the program: a
 * write that waits would, for a pipe is full once its reader has paused. So one write at a time is
 * left to another thread, and the lines that come meanwhile make the next one.
 *
 * Invariant: waitingBytes <= BACKLOG_BYTES, and the lines written are in the order they came in.
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

  /** Resolves when nothing waits any more: written, or dropped because it cannot be. */
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

/** A pipe may take less than it is given. What it refuses (EPIPE, ENOSPC) is dropped. */
async function writeWhole(fileDescriptor: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    // oxlint-disable-next-line no-await-in-loop -- the next piece follows this one
    const written = await writePiece(fileDescriptor, bytes.subarray(at));
    if (written === 0) return;
    at += written;
  }
}

/** Bytes written; 0 when it failed. */
function writePiece(fileDescriptor: number, bytes: Buffer): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  write(fileDescriptor, bytes, 0, bytes.length, null, (error, written) =>
    resolve(error === null ? written : 0),
  );
  return promise;
}

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
      if (level === "DEBUG") lines.debug(entry("DEBUG", event, fields));
    },
    info: (event, fields) => lines.info(entry("INFO", event, fields)),
    warning: (event, fields) => lines.warning(entry("WARNING", event, fields)),
    error: (event, fields) => lines.error(entry("ERROR", event, fields)),
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
function entry(level: LogLevel, event: string, fields: LogFields = {}): LogFields {
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
