/** A value that cannot be used. Reads as `variable="value": must be bound`. */
export interface Mistake {
  readonly variable: string;
  /** Escaped, and cut at 256 bytes. */
  readonly value: string;
  readonly bound: string;
}

/** The program runs, but hardly as it was meant to. */
export interface ConfigWarning {
  readonly variable: string;
  readonly message: string;
}
