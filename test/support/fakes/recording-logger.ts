import type { LogFields, Logger } from "../../../src/ports/logger.ts";

export interface LoggedLine {
  readonly level: keyof Logger;
  readonly event: string;
  readonly fields: LogFields;
}

/** A logger that records its lines for a test. */
export class RecordingLogger implements Logger {
  readonly lines: LoggedLine[] = [];

  debug(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "debug", event, fields });
  }

  info(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "info", event, fields });
  }

  warning(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "warning", event, fields });
  }

  error(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "error", event, fields });
  }
}
