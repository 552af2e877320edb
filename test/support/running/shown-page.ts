import { readFileSync } from "node:fs";
import { expect } from "bun:test";
import type { Page } from "playwright-core";

/** Sends and checks what tests of the page show in a browser. */

const AXE = readFileSync(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir), "utf8");

export interface SentSpan {
  readonly spanId: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** Sends spans of one service as OTLP/JSON. */
export async function sendSpans(
  httpUrl: string,
  { traceId, service = "shop" }: { readonly traceId: string; readonly service?: string },
  spans: readonly SentSpan[],
): Promise<void> {
  const attributes = [{ key: "service.name", value: { stringValue: service } }];
  const scopeSpans = [{ spans: spans.map((span) => ({ traceId, ...span })) }];
  const response = await fetch(`${httpUrl}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] }),
  });
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
}

export function idOf(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}

/** Returns what axe-core finds on the page. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
