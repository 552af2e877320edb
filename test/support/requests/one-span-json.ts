/** Returns a request with one span of this name, in OTLP/JSON. */
export function otlpJsonOfOneSpan(name: string): string {
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name };
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
}
