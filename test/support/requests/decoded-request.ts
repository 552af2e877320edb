import { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import type { WalkedRequest } from "../../../src/domain/wire/walked-request.ts";

const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
const { ResourceSpans, ScopeSpans, Span } = opentelemetry.proto.trace.v1;

/** A span and its envelopes, as protobufjs decodes them. */
export interface DecodedSpan {
  readonly span: opentelemetry.proto.trace.v1.Span;
  readonly resource: unknown;
  readonly resourceSchemaUrl: string;
  readonly scope: unknown;
  readonly scopeSchemaUrl: string;
}

/** Returns every span of a request, in wire order. Throws the errors of protobufjs. */
export function decodeSpans(request: Uint8Array): DecodedSpan[] {
  return ExportTraceServiceRequest.decode(request).resourceSpans.flatMap(
    ({ resource, schemaUrl: resourceSchemaUrl, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, schemaUrl: scopeSchemaUrl, spans }) =>
        spans.map((span) => ({ span, resource, resourceSchemaUrl, scope, scopeSchemaUrl })),
      ),
  );
}

/** Returns the spans of a walk, with each slice decoded separately. */
export function decodeWalked(walked: WalkedRequest): DecodedSpan[] {
  const contexts = Array.from({ length: walked.contextCount }, (_, row) => {
    const { resourceOffset, resourceLength, scopeOffset, scopeLength, request } = walked;
    const slice = (offset: number, length: number) => request.subarray(offset, offset + length);
    const around = ResourceSpans.decode(slice(resourceOffset[row]!, resourceLength[row]!));
    const within = ScopeSpans.decode(slice(scopeOffset[row]!, scopeLength[row]!));
    return {
      resource: around.resource,
      resourceSchemaUrl: around.schemaUrl,
      scope: within.scope,
      scopeSchemaUrl: within.schemaUrl,
    };
  });
  return Array.from({ length: walked.spanCount }, (_, row) => {
    const start = walked.spanOffset[row]!;
    const bytes = walked.request.subarray(start, start + walked.spanLength[row]!);
    return { span: Span.decode(bytes), ...contexts[walked.spanContext[row]!]! };
  });
}

/** Reports whether a decoded span is valid by the rules of OTLP. */
export function isValidSpan({ span }: DecodedSpan): boolean {
  const { parentSpanId } = span;
  return (
    hasValidIds(span) &&
    (parentSpanId.length === 0 || parentSpanId.length === 8) &&
    span.links.every(isValidLink)
  );
}

function isValidLink({ traceId, spanId }: { traceId: Uint8Array; spanId: Uint8Array }): boolean {
  return [0, 16].includes(traceId.length) && [0, 8].includes(spanId.length);
}

function hasValidIds({ traceId, spanId }: { traceId: Uint8Array; spanId: Uint8Array }): boolean {
  return traceId.length === 16 && spanId.length === 8 && !isZero(traceId) && !isZero(spanId);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/**
 * Returns the first difference between protobufjs, the oracle, and a walk of the same bytes;
 * undefined if they agree. For walks without a fault.
 */
export function disagreement(walked: WalkedRequest): string | undefined {
  const decoded = decodeSpans(walked.request);
  const valid = decoded.filter(isValidSpan);
  if (walked.spanCount !== valid.length) return `${valid.length} spans are valid`;
  const invalid = decoded.length - valid.length;
  if (walked.rejectedSpans !== invalid) return `${invalid} spans are not valid`;
  const found = decodeWalked(walked);
  const row = valid.findIndex((span, at) => !Bun.deepEquals(span, found[at]));
  return row < 0 ? undefined : `span ${row} is ${JSON.stringify(valid[row])}`;
}
