import { Buffer } from "node:buffer";
import type { FileRequest } from "../../otlp-files/file-request.ts";
import { parseExactly, listIn } from "../../otlp-files/json-requests.ts";
import { assembleRequest } from "../../../domain/wire/assemble.ts";
import { everySpan, rowsOf } from "../../../domain/wire/request-spans.ts";

const SLICES = {
  "application/json": jsonSlices,
  "application/x-protobuf": protoSlices,
} as const;

/** Yields a request unchanged, or split if it has more than `maxSpans` spans. */
export function* requestSlices(request: FileRequest, maxSpans: number): Generator<FileRequest> {
  if (request.spanCount <= maxSpans) return yield request;
  const { spanCount: allSpans, fileBytes: allBytes } = request;
  // Each slice stands for its share of the file, by its number of spans.
  const bytesUpTo = (spans: number) => Math.round((allBytes * spans) / allSpans);
  let before = 0;
  for (const bytes of SLICES[request.contentType](request.bytes, maxSpans)) {
    const after = Math.min(before + maxSpans, allSpans);
    const fileBytes = bytesUpTo(after) - bytesUpTo(before);
    yield { ...request, bytes, spanCount: after - before, fileBytes };
    before = after;
  }
}

/** A span of a document, with the objects that contain it. */
interface SpanInContext {
  readonly resourceSpans: object;
  readonly scopeSpans: object;
  readonly span: object;
}

/**
 * Splits a request in OTLP/JSON into requests of at most `maxSpans` spans. They are serialised
 * again, with unknown members, and with numbers digit for digit.
 */
export function* jsonSlices(request: Uint8Array, maxSpans: number): Generator<Uint8Array> {
  const document = parseExactly(new TextDecoder().decode(request));
  const spans = spansIn(document);
  for (let first = 0; first < spans.length; first += maxSpans) {
    const resourceSpans = nested(spans.slice(first, first + maxSpans));
    yield Buffer.from(JSON.stringify({ ...document, resourceSpans }));
  }
}

function spansIn(document: object): SpanInContext[] {
  return listIn(document, "resourceSpans").flatMap((resourceSpans) =>
    listIn(resourceSpans, "scopeSpans").flatMap((scopeSpans) =>
      listIn(scopeSpans, "spans").map((span) => ({ resourceSpans, scopeSpans, span })),
    ),
  );
}

/** Groups spans by resource and scope as they were before. */
function nested(spans: readonly SpanInContext[]): object[] {
  const byResource = Map.groupBy(spans, ({ resourceSpans }) => resourceSpans);
  return Array.from(byResource, ([resourceSpans, ofResource]) => {
    const byScope = Map.groupBy(ofResource, ({ scopeSpans }) => scopeSpans);
    const scopeSpans = Array.from(byScope, ([scope, ofScope]) => ({
      ...scope,
      spans: ofScope.map(({ span }) => span),
    }));
    return { ...resourceSpans, scopeSpans };
  });
}

/**
 * Splits an encoded request into requests of at most `maxSpans` spans. Each span keeps its bytes,
 * even an invalid one, which the receiver is to judge. Resources and scopes are repeated.
 */
export function* protoSlices(request: Uint8Array, maxSpans: number): Generator<Uint8Array> {
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  for (let first = 0; first < table.spanCount; first += maxSpans) {
    yield assembleRequest(whole, rowsOf(table, { first, end: first + maxSpans }));
  }
}
