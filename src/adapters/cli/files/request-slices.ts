import type { FileRequest } from "../../otlp-files/file-request.ts";
import { jsonSlices } from "./json-slices.ts";
import { protoSlices } from "./proto-slices.ts";

const SLICES = {
  "application/json": jsonSlices,
  "application/x-protobuf": protoSlices,
} as const;

/** A request as it is, or in requests of at most so many spans when it has more. */
export function* requestSlices(request: FileRequest, maxSpans: number): Generator<FileRequest> {
  if (request.spanCount <= maxSpans) return yield request;
  const { spanCount: allSpans, fileBytes: allBytes } = request;
  // Of the file, each slice has the share that its spans have of all.
  const bytesUpTo = (spans: number) => Math.round((allBytes * spans) / allSpans);
  let before = 0;
  for (const bytes of SLICES[request.contentType](request.bytes, maxSpans)) {
    const after = Math.min(before + maxSpans, allSpans);
    const fileBytes = bytesUpTo(after) - bytesUpTo(before);
    yield { ...request, bytes, spanCount: after - before, fileBytes };
    before = after;
  }
}
