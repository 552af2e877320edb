/** Stores spans while spanring does not run: a stop writes them, and the next start reads them. */
export interface SpanSpill {
  /** The path of the file, safe for a log line. */
  readonly place: string;
  /** Rejects when the file cannot be written; leaves nothing behind. */
  tryOut(): Promise<void>;
  /**
   * Yields the stored requests, oldest first. A fault that prevents reading the rest is the last
   * item; nothing is thrown for it.
   */
  read(): AsyncIterable<SpilledRequest | SpillFault>;
  /** Removes what was read. */
  remove(): Promise<void>;
  /**
   * Replaces everything with these requests; if it rejects, nothing has changed. They may come from
   * `read` of the same file.
   */
  replace(requests: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Moves the file aside for a person to examine, so that it is not read again; resolves to its
   * path.
   */
  setAside(): Promise<string>;
  /**
   * Writes all of these requests, or, if it rejects, none; resolves to the path. What is stored
   * already stays: in the same file if `replace` has written it, otherwise in another one. A
   * request may change once the next one is requested.
   */
  write(requests: Iterable<Uint8Array>): Promise<string>;
}

/** An encoded `ExportTraceServiceRequest`. */
export interface SpilledRequest {
  readonly bytes: Uint8Array;
  readonly spanCount: number;
}

export interface SpillFault {
  readonly fault: string;
}
