import { Buffer } from "node:buffer";
import { parseExactly, listIn } from "../../otlp-files/json-requests.ts";

/** A span of a document, and what it lies in. */
interface PlacedSpan {
  readonly resourceSpans: object;
  readonly scopeSpans: object;
  readonly span: object;
}

/**
 * A request in OTLP/JSON, cut into requests of at most so many spans. It is written anew, with all
 * that is in it: members that nobody knows, and numbers digit for digit.
 */
export function* jsonSlices(request: Uint8Array, maxSpans: number): Generator<Uint8Array> {
  const document = parseExactly(new TextDecoder().decode(request));
  const spans = spansIn(document);
  for (let first = 0; first < spans.length; first += maxSpans) {
    const resourceSpans = nested(spans.slice(first, first + maxSpans));
    yield Buffer.from(JSON.stringify({ ...document, resourceSpans }));
  }
}

function spansIn(document: object): PlacedSpan[] {
  return listIn(document, "resourceSpans").flatMap((resourceSpans) =>
    listIn(resourceSpans, "scopeSpans").flatMap((scopeSpans) =>
      listIn(scopeSpans, "spans").map((span) => ({ resourceSpans, scopeSpans, span })),
    ),
  );
}

/** What lay in the same lies in the same again. */
function nested(spans: readonly PlacedSpan[]): object[] {
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
