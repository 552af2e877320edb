import { Buffer } from "node:buffer";
import { parseExactly } from "./exact-json.ts";

/**
 * A span by itself, as `spanring get`, `take`, `tail` and `wait` print it in a pipe: its own
 * members, what it came in, and the number, the run and the service that spanring adds.
 */
interface SpanLine {
  readonly resource: object;
  readonly resourceSchemaUrl?: unknown;
  readonly scope: object;
  readonly scopeSchemaUrl?: unknown;
}

const ADDED_MEMBERS: ReadonlySet<string> = new Set([
  "sequence",
  "run_id",
  "service",
  "resource",
  "resourceSchemaUrl",
  "scope",
  "scopeSchemaUrl",
]);

/** Reports whether a document is such a span; a span of OTLP/JSON has no resource of its own. */
export function isSpanLine(document: object): document is SpanLine {
  return ["traceId", "spanId", "resource", "scope"].every((name) => name in document);
}

/** Makes one request in OTLP/JSON of spans: those of one resource and one scope come together. */
export function requestOfSpanLines(lines: readonly Uint8Array[]): Buffer {
  const spans = lines.map((line) => parseExactly(new TextDecoder().decode(line)) as SpanLine);
  const byResource = Map.groupBy(spans, (span) => textOf(span.resource, span.resourceSchemaUrl));
  const resourceSpans = Array.from(byResource.values(), (ofResource) => {
    const byScope = Map.groupBy(ofResource, (span) => textOf(span.scope, span.scopeSchemaUrl));
    const scopeSpans = Array.from(byScope.values(), (ofScope) => {
      const [{ scope, scopeSchemaUrl: schemaUrl }] = ofScope as [SpanLine];
      return { scope, spans: ofScope.map(ownMembers), schemaUrl };
    });
    const [{ resource, resourceSchemaUrl: schemaUrl }] = ofResource as [SpanLine];
    return { resource, scopeSpans, schemaUrl };
  });
  return Buffer.from(JSON.stringify({ resourceSpans }));
}

function textOf(...context: unknown[]): string {
  return JSON.stringify(context);
}

function ownMembers(line: SpanLine): object {
  return Object.fromEntries(Object.entries(line).filter(([name]) => !ADDED_MEMBERS.has(name)));
}
