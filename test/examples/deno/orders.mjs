import { startSpanring } from "spanring/testing";

const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** Stands for an application with an OpenTelemetry SDK. */
async function emitSpan(endpoint) {
  const spans = [{ ...ids, name: "GET /orders" }];
  const response = await fetch(`${endpoint}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  await response.body?.cancel();
}

Deno.test("an order is traced", async () => {
  const ring = await startSpanring();
  try {
    await emitSpan(ring.endpoints.http);
    await ring.waitFor({ name: "GET /orders" });
  } finally {
    await ring.stop();
  }
});
