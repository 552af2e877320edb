import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { Buffer } from "node:buffer";
import { START_TIME_FIELD } from "../../domain/wire/otlp-tags.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { explainFault, NO_FAULT } from "../../domain/wire/walk-fault.ts";
import { createWalkedRequest, type WalkedRequest } from "../../domain/wire/walked-request.ts";
import { nextField, scanFields } from "../otlp/json/message-scan.ts";

/** Far beyond what a receiver takes; rows that are not used cost nothing. */
const LIMITS = { spansPerRequest: 1_000_000, nestingDepth: 100 };

let walked: WalkedRequest | undefined;

/** How many spans an encoded request has, valid or not; or what is wrong with its bytes. */
export function countSpans(request: Uint8Array): number | string {
  walked ??= createWalkedRequest(LIMITS);
  walkRequest(walked, request);
  if (walked.fault !== NO_FAULT) return explainFault(walked.fault, walked.faultOffsetBytes);
  return walked.spanCount + walked.rejectedSpans;
}

/** Undefined when no valid span says when it began. */
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
      // A time of 0 is one that was not set.
      const startNano = Number(bytes.readBigUInt64LE(scan.valueAt)) || Infinity;
      earliest = Math.min(earliest, startNano / NANOS_PER_MS_NUMBER);
    }
  }
  return earliest === Infinity ? undefined : earliest;
}
