import { createServer } from "node:http";
import { once } from "node:events";
import { expect, test as base } from "@playwright/test";
import { startSpanring } from "spanring/testing";

const test = base.extend({
  // oxlint-disable-next-line no-empty-pattern -- Playwright requires a pattern
  ring: async ({}, use) => {
    const ring = await startSpanring();
    await use(ring);
    await ring.stop();
  },
  /** Stands for an application with an OpenTelemetry SDK. */
  shop: async ({ ring }, use) => {
    const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    const server = createServer(async ({ method, url }, response) => {
      const spans = [{ ...ids, name: `${method} ${url}` }];
      await fetch(`${ring.endpoints.http}/v1/traces`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
      });
      response.setHeader("Content-Type", "text/html").end('<a href="/orders">Orders</a>');
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    await use(`http://127.0.0.1:${server.address().port}`);
    server.closeAllConnections();
    server.close();
  },
});

test("a click on the list of orders is traced", async ({ page, ring, shop }) => {
  await page.goto(shop);
  await page.getByRole("link", { name: "Orders" }).click();

  const [span] = await ring.waitFor({ name: "GET /orders" });
  expect(span.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
});
