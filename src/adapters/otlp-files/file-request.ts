/** One trace request of a file, as it lies there: its bytes are sent as they are. */
export interface FileRequest {
  readonly bytes: Uint8Array;
  readonly contentType: "application/json" | "application/x-protobuf";
  readonly spanCount: number;
  /** Start of its earliest span, in Unix milliseconds; undefined when no span says. */
  readonly earliestStartMs: () => number | undefined;
  /** Of the file, with what is around the request. */
  readonly fileBytes: number;
}

/** What keeps the rest of a file from being read: the place, and what is wrong there. */
export interface FileFault {
  readonly fault: string;
}

/** Metrics or logs, which the collector writes into the same file when it is told to. */
export interface OtherSignal {
  readonly otherSignal: true;
  readonly fileBytes: number;
}

export type FileItem = FileRequest | FileFault | OtherSignal;

/** What must be in memory at a time; receivers take far less. */
export const MOST_REQUEST_BYTES = 256 * 1024 * 1024;

export const NANOS_PER_MS = 1e6;
