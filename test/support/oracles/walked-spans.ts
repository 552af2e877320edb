import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
} from "../../../src/domain/wire/walked-request.ts";

// For more spans than can be decoded within a test.

const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });

function walk(request: Uint8Array): WalkedRequest {
  walkRequest(walked, request);
  if (walked.fault !== NO_FAULT || walked.rejectedSpans > 0) throw new Error("not all are spans");
  return walked;
}

export function countSpans(request: Uint8Array): number {
  return walk(request).spanCount;
}

/** Returns the numbers of spans made by `request-bytes.ts`. */
export function spanNumbers(request: Uint8Array): number[] {
  const { spanTraceId, spanCount } = walk(request);
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
  return Array.from({ length: spanCount }, (_, row) => view.getUint32(spanTraceId[row]! + 12));
}

/** Returns the SHA-256 of each span. */
export function spanHashes(request: Uint8Array): string[] {
  const { spanOffset, spanLength, spanCount } = walk(request);
  return Array.from({ length: spanCount }, (_, row) => {
    const first = spanOffset[row]!;
    const bytes = request.subarray(first, first + spanLength[row]!);
    return Bun.CryptoHasher.hash("sha256", bytes, "base64");
  });
}
