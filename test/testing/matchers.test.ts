import { expect, test } from "bun:test";
import { spanringMatchers, startSpanring } from "../../src/testing.ts";
import type { SpanConditions, WaitOptions } from "../../src/testing.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { requestOf } from "../support/requests/request-bytes.ts";

expect.extend(spanringMatchers as never);

declare module "bun:test" {
  interface Matchers<T> {
    toHaveSpan(conditions: SpanConditions, options?: WaitOptions): Promise<T>;
  }
}

test("a matcher waits for a span", async () => {
  await using ring = await startSpanring();
  // bun:test runs the event loop inside `expect`, so the export must begin before.
  const sending = exportOverHttp(ring.endpoints.http, requestOf(1));

  await expect(ring).toHaveSpan({ name: "span 1" });
  await sending;

  expect(await ring.spans()).toHaveLength(1);
});

test("a failed matcher reports near misses", async () => {
  await using ring = await startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(1));

  const expecting = async () =>
    await expect(ring).toHaveSpan({ service: "shop", name: "no" }, { timeoutMs: 1 });

  expect(await expecting().catch(String)).toContain('without name=no, 1 match, such as "span 1"');
});

test("a matcher with not checks the spans that have arrived", async () => {
  await using ring = await startSpanring();
  await exportOverHttp(ring.endpoints.http, requestOf(1));

  const expecting = async () => await expect(ring).not.toHaveSpan({ name: "span 1" });

  await expect(ring).not.toHaveSpan({ name: "no" });
  expect(await expecting().catch(String)).toContain("1 span matches, but none was expected");
});

test("a matcher is refused for anything but a ring", async () => {
  const { pass, message } = await spanringMatchers.toHaveSpan.call({}, {}, {});

  expect(pass).toBe(false);
  expect(message()).toContain("toHaveSpan needs a ring");
});
