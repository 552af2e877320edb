/** What a log line may carry beside its event: never a payload, an attribute or a header value. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON line an event. `event` is a fixed word of ours, such as `listening`. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
