/** The fields of a log line: never a payload, an attribute or a header value. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON line for each event. `event` is a fixed word, such as `listening`. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
