/** One trace request of a file, with the bytes that it has there. */
export interface FileRequest {
  readonly bytes: Uint8Array;
  readonly contentType: "application/json" | "application/x-protobuf";
  readonly spanCount: number;
  /** Start of its earliest span, in Unix milliseconds; undefined when no span says. */
  readonly earliestStartMs: () => number | undefined;
  /** Of the file, with what is around the request. */
  readonly fileBytes: number;
}

/** A part of a file that was stepped over, because it cannot be read. */
export interface FileFault {
  /** What is wrong, without the place. */
  readonly fault: string;
  /** Where it is: lines from 1 in text, bytes from 0 in other files. */
  readonly unit: "line" | "byte";
  readonly first: number;
  readonly last: number;
  /** Undefined when it is not known, because the file cannot be read at all. */
  readonly skippedBytes: number | undefined;
}

/** Metrics or logs, which the collector writes into the same file when it is told to. */
export interface OtherSignal {
  readonly otherSignal: true;
  readonly fileBytes: number;
}

export type FileItem = FileRequest | FileFault | OtherSignal;

/** What must be in memory at a time; receivers take far less. */
export const MAX_REQUEST_BYTES = 256 * 1024 * 1024;

/** Returns the place and what is wrong there, for a message. */
export function faultText({ fault, unit, first, last }: FileFault): string {
  const isRange = unit === "line" && last > first;
  return `${isRange ? `lines ${first} to ${last}` : `${unit} ${first}`}: ${fault}`;
}

/** Makes one fault of those that follow one another: a torn document may be a thousand lines. */
export async function* mergedFaults(items: AsyncIterable<FileItem>): AsyncGenerator<FileItem> {
  let fault: FileFault | undefined;
  for await (const item of items) {
    const joined = "fault" in item ? joinedFault(fault, item) : undefined;
    if (fault !== undefined && joined === undefined) yield fault;
    fault = joined ?? ("fault" in item ? item : undefined);
    if (!("fault" in item)) yield item;
  }
  if (fault !== undefined) yield fault;
}

/** Undefined where there is none to join, or where how much is missing is not known of both. */
function joinedFault(fault: FileFault | undefined, next: FileFault): FileFault | undefined {
  if (fault === undefined || fault.unit !== next.unit) return undefined;
  if (fault.skippedBytes === undefined || next.skippedBytes === undefined) return undefined;
  return { ...fault, last: next.last, skippedBytes: fault.skippedBytes + next.skippedBytes };
}
