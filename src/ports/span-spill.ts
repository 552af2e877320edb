/** Spans that lie outside while nothing runs: a stop leaves them, and the next start reads them. */
export interface SpanSpill {
  /** Where they are looked for; fit for a log line. */
  readonly place: string;
  /** Rejects when nothing could be written there; leaves nothing. */
  tryOut(): Promise<void>;
  /**
   * What is there, oldest first; nothing when nothing is. What keeps the rest from being read comes
   * last, as a fault, and nothing is thrown for it.
   */
  read(): AsyncIterable<SpilledRequest | SpillFault>;
  /** What was read is needed no more. */
  remove(): Promise<void>;
  /**
   * These requests are all that is there from now on; where it rejects, all is as it was. They may
   * be read from here meanwhile.
   */
  replace(requests: AsyncIterable<Uint8Array>): Promise<void>;
  /** What was read is to be looked at by a person, and not to be read again; answers where. */
  setAside(): Promise<string>;
  /**
   * All of these requests, or, where it rejects, none; answers where. What is there already stays:
   * with them, where `replace` has put it, and else apart from them. A request may be changed once
   * the next one is asked for.
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
