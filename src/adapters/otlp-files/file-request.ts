import { Buffer } from "node:buffer";
import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { assert } from "../../domain/assert.ts";
import { explainRejection } from "../../domain/span-validity.ts";
import { assembleRequest } from "../../domain/wire/assemble.ts";
import { START_TIME_FIELD } from "../../domain/wire/otlp-tags.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { explainFault, NO_FAULT } from "../../domain/wire/walk-fault.ts";
import { createWalkedRequest, type WalkedRequest } from "../../domain/wire/walked-request.ts";
import { nextField, scanFields } from "../otlp/json/message-parts.ts";

/** A trace request of a file, with its original bytes. */
export interface FileRequest {
  readonly bytes: Uint8Array;
  readonly contentType: "application/json" | "application/x-protobuf";
  /** The number of spans; 0 for JSON that is too long to be parsed (`ReadLimits.parsedBytes`). */
  readonly spanCount: number;
  /** Returns the start of its earliest span in Unix milliseconds; undefined if no span has one. */
  readonly earliestStartMs: () => number | undefined;
  /** Bytes of the file, with those around the request. */
  readonly fileBytes: number;
}

/** A part of a file that was skipped because it cannot be read. */
export interface FileFault {
  /** The reason, without the place. */
  readonly fault: string;
  /** The place: lines from 1 in text, bytes from 0 in other files. */
  readonly unit: "line" | "byte";
  readonly first: number;
  readonly last: number;
  /** Undefined if it is unknown because the file cannot be read further. */
  readonly skippedBytes: number | undefined;
}

/** Metrics or logs, which the Collector may write to the same file. */
export interface OtherSignal {
  readonly otherSignal: true;
  readonly fileBytes: number;
}

export type FileItem = FileRequest | FileFault | OtherSignal;

/** Describes a fault with its place. */
export function faultText({ fault, unit, first, last }: FileFault): string {
  const isRange = unit === "line" && last > first;
  return `${isRange ? `lines ${first} to ${last}` : `${unit} ${first}`}: ${fault}`;
}

/** Joins consecutive faults: a torn document may have a thousand lines. */
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

/** Joins two faults; returns undefined unless both have the same unit and a known size. */
function joinedFault(fault: FileFault | undefined, next: FileFault): FileFault | undefined {
  if (fault === undefined || fault.unit !== next.unit) return undefined;
  if (fault.skippedBytes === undefined || next.skippedBytes === undefined) return undefined;
  return { ...fault, last: next.last, skippedBytes: fault.skippedBytes + next.skippedBytes };
}

/** Limits of the walk that are far beyond what receivers accept. */
const LIMITS = { spansPerRequest: 1_000_000, nestingDepth: 100 };

let walked: WalkedRequest | undefined;

/** Counts the spans of an encoded request, valid or not. Returns the reason if it is invalid. */
export function countSpans(request: Uint8Array): number | string {
  walked ??= createWalkedRequest(LIMITS);
  walkRequest(walked, request);
  const { fault, faultOffsetBytes } = walked;
  if (fault !== NO_FAULT) return explainFault(fault, faultOffsetBytes, " of it");
  return walked.spanCount + walked.rejectedSpans;
}

/** The valid spans of a request, and why the others are not. */
export interface ValidSpans {
  /** The request itself, unchanged, if all spans are valid; empty if none is. */
  readonly request: Uint8Array;
  readonly spanCount: number;
  readonly rejectedSpans: number;
  /** Explains the rejection; empty without any. */
  readonly message: string;
}

/**
 * Returns an encoded request with its valid spans only, or the reason if it cannot be checked: one
 * that was converted from JSON may have more spans than the walk takes.
 */
export function validSpansOf(request: Uint8Array): ValidSpans | string {
  const count = countSpans(request);
  if (typeof count === "string") return count;
  assert(walked !== undefined, "the request has just been walked");
  const { spanCount, rejectedSpans, rejectedByFault } = walked;
  if (rejectedSpans === 0) return { request, spanCount, rejectedSpans, message: "" };
  const message = explainRejection(rejectedSpans, rejectedByFault);
  const whole = { bytes: request, offset: 0, length: request.length };
  const part = spanCount === 0 ? new Uint8Array() : assembleRequest(whole, walked);
  return { request: part, spanCount, rejectedSpans, message };
}

/** Returns the earliest start of a valid span; undefined if none has one. */
export function earliestStartMs(request: Uint8Array): number | undefined {
  walked ??= createWalkedRequest(LIMITS);
  walkRequest(walked, request);
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  let earliest = Infinity;
  for (let row = 0; row < walked.spanCount; row += 1) {
    const at = walked.spanOffset[row]!;
    const scan = scanFields({ bytes, parts: [at, at + walked.spanLength[row]!] });
    while (nextField(scan)) {
      if (scan.fieldNumber !== START_TIME_FIELD) continue;
      // A time of 0 means that none was set.
      const startNano = Number(bytes.readBigUInt64LE(scan.valueAt)) || Infinity;
      earliest = Math.min(earliest, startNano / NANOS_PER_MS_NUMBER);
    }
  }
  return earliest === Infinity ? undefined : earliest;
}
