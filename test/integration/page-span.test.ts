import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import {
  accessibilityFindings,
  idOf,
  sendSpans,
  type SentSpan,
} from "../support/running/shown-page.ts";

closeBrowserAfterAll();

// Goal: the page shows everything that a span says, and what the buffer knows about it.
// Method: the program, Chromium, and spans by hand.

test("a span shows the spans that link to it, of any trace, and leads there and back", async () => {
  await using program = await startProgram();
  const order = { traceId: idOf(1, 32), spanId: idOf(1, 16) };
  await sendSpans(program.httpUrl, order, [{ spanId: order.spanId, name: "place order" }]);
  const elsewhere = { traceId: idOf(9, 32), spanId: order.spanId };
  const others = { traceId: idOf(2, 32), service: "billing" };
  await sendSpans(program.httpUrl, others, [
    { spanId: idOf(2, 16), name: "bill order", links: [order] },
    { spanId: idOf(3, 16), name: "bill another", links: [elsewhere] },
  ]);
  const { page, faults } = await openPage(
    `${program.apiUrl}/traces/${order.traceId}?span=${order.spanId}`,
  );
  const details = page.getByRole("complementary", { name: "Span" });
  await details.getByRole("link", { name: "bill order" }).click();
  await details.getByRole("heading", { name: "bill order" }).waitFor();

  expect(new URL(page.url()).pathname).toBe(`/traces/${others.traceId}`);

  await details.getByRole("link", { name: `Span ${order.spanId}` }).click();
  await details.getByRole("heading", { name: "place order" }).waitFor();
  await details.getByRole("heading", { name: "Linked from 1" }).waitFor();

  expect(await details.getByRole("link", { name: "bill another" }).count()).toBe(0);
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("a span to which more spans link than are listed says so", async () => {
  await using program = await startProgram();
  const order = { traceId: idOf(1, 32), spanId: idOf(1, 16) };
  const linking = Array.from({ length: 101 }, (_, at) => {
    return { spanId: idOf(2 + at, 16), name: "batch", links: [order] };
  });
  await sendSpans(program.httpUrl, order, [{ spanId: order.spanId, name: "order" }, ...linking]);
  const { page, faults } = await openPage(
    `${program.apiUrl}/traces/${order.traceId}?span=${order.spanId}`,
  );
  const details = page.getByRole("complementary", { name: "Span" });
  await details.getByRole("heading", { name: "Linked from" }).waitFor();

  expect(await details.getByRole("heading", { name: "Linked from 100+" }).count()).toBe(1);
  expect(faults).toEqual([]);
});

test("a span shows its end, flags, schemas, types, losses, and what it calls", async () => {
  await using program = await startProgram();
  const traceId = idOf(1, 32);
  const value = { doubleValue: 0.5 };
  const span = {
    traceId,
    spanId: idOf(1, 16),
    name: "SELECT",
    kind: 3,
    flags: 0x301,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000250000000",
    attributes: [
      { key: "db.system.name", value: { stringValue: "postgresql" } },
      { key: "ratio", value },
    ],
    events: [{ name: "row", droppedAttributesCount: 4 }],
    links: [{ traceId, spanId: idOf(7, 16), traceState: "a=b", droppedAttributesCount: 5 }],
  };
  const scope = { name: "pg", droppedAttributesCount: 3 };
  const resource = { droppedAttributesCount: 1 };
  const response = await fetch(`${program.httpUrl}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource,
          schemaUrl: "https://example.com/resource",
          scopeSpans: [{ scope, schemaUrl: "https://example.com/scope", spans: [span] }],
        },
      ],
    }),
  });
  expect(await response.text()).toBe("{}");
  const { page, faults } = await openPage(
    `${program.apiUrl}/traces/${traceId}?span=${span.spanId}`,
  );
  const details = page.getByRole("complementary", { name: "Span" });
  for (const text of [
    "0x301: sampled, remote parent",
    "https://example.com/resource",
    "https://example.com/scope",
    "double",
    "a=b",
    "The SDK dropped 1 attribute of the resource.",
    "The SDK dropped 3 attributes of the scope.",
    "The SDK dropped 4 attributes of this event.",
    "The SDK dropped 5 attributes of this link.",
  ]) {
    await details.getByText(text, { exact: true }).waitFor();
  }
  const rowTexts = await page.getByRole("treeitem").allTextContents();
  const facts = await details.locator(".facts-list div").allTextContents();

  expect(rowTexts[0]).toContain("unknown_service · client → postgresql");
  expect(facts).toContain("Callspostgresql");
  expect(facts.find((fact) => fact.startsWith("End"))).toMatch(/^End\d\d:\d\d:\d\d\.250$/);
  expect(faults).toEqual([]);
});

function failedChild(number: number, name: string): SentSpan {
  return { spanId: idOf(number, 16), parentSpanId: idOf(1, 16), name, status: { code: 2 } };
}

test("spans are found in a trace, also in collapsed parts, and others fade", async () => {
  await using program = await startProgram();
  const traceId = idOf(1, 32);
  await sendSpans(program.httpUrl, { traceId }, [
    { spanId: idOf(1, 16), name: "GET /orders" },
    failedChild(2, "SELECT orders"),
    failedChild(3, "SELECT stock"),
  ]);
  await sendSpans(program.httpUrl, { traceId, service: "mail" }, [failedChild(4, "send mail")]);
  const { page, faults } = await openPage(`${program.apiUrl}/traces/${traceId}`);
  const rows = page.getByRole("treeitem");
  await rows.filter({ hasText: "GET /orders" }).click();
  await page.keyboard.press("h");
  await rows.filter({ hasText: "SELECT stock" }).waitFor({ state: "hidden" });
  await page.keyboard.press("/");
  await page.keyboard.type("select");
  await page.getByText("2", { exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("1 of 2").waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("2 of 2").waitFor();
  const details = page.getByRole("complementary", { name: "Span" });
  await details.getByRole("heading", { name: "SELECT stock" }).waitFor();

  expect(await page.locator(".span-row.is-faint").allTextContents()).toEqual([
    expect.stringContaining("GET /orders"),
    expect.stringContaining("send mail"),
  ]);
  expect(await page.getByLabel("Services of this trace").locator("li").allTextContents()).toEqual([
    "shop 3 2 errors",
    "mail 1 1 error",
  ]);
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});
