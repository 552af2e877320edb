import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import {
  accessibilityFindings,
  idOf,
  sendSpans,
  type SentSpan,
} from "../support/running/shown-page.ts";
import { createdToken, secretFile } from "../support/running/token-files.ts";

closeBrowserAfterAll();

// Goal: the page shows what an application emits, in a real browser.
// Method: the program, Chromium, and spans of an instrumented application or of a request by hand.

const APPLICATION = join(import.meta.dir, "../support/sdk/express-app.mjs");

async function runApplication(httpUrl: string): Promise<void> {
  const child = Bun.spawn(["node", APPLICATION, httpUrl], { stderr: "pipe", stdout: "ignore" });
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
}

/** Sends spans of one service as OTLP/JSON. */
async function send(httpUrl: string, traceId: string, spans: readonly SentSpan[]): Promise<void> {
  await sendSpans(httpUrl, { traceId }, spans);
}

function at(micros: number): string {
  return String(1_700_000_000_000_000_000n + BigInt(Math.round(micros * 1000)));
}

/** Returns spans of which each is the parent of the next three, until there are enough. */
function manySpans(count: number): SentSpan[] {
  return Array.from({ length: count }, (_, number) => ({
    spanId: idOf(number + 1, 16),
    ...(number > 0 && { parentSpanId: idOf(Math.ceil(number / 3), 16) }),
    name: `step ${number}`,
    startTimeUnixNano: at(number),
    endTimeUnixNano: at(number + 1 + count / (number + 1)),
  }));
}

test("an empty page says what to set, and shows the first span as it arrives", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(program.apiUrl);
  await page.getByText("Waiting for the first span").waitFor();
  await page.getByRole("button", { name: "Python" }).click();

  expect(await page.getByLabel("Set-up for Python").textContent()).toContain("opentelemetry-");
  expect(await accessibilityFindings(page)).toEqual([]);

  await send(program.httpUrl, idOf(1, 32), [{ spanId: idOf(1, 16), name: "GET /first" }]);
  await page.getByRole("option", { name: "GET /first" }).waitFor();
  expect(faults).toEqual([]);
});

test("the indicator turns green, and problems are shown with what to do", async () => {
  await using program = await startProgram();
  await fetch(`${program.apiUrl}/v1/traces`, { method: "POST" });
  const { page, faults } = await openPage(`${program.apiUrl}/connect`);
  await page.getByText("otlp on api").waitFor();
  await send(program.httpUrl, idOf(1, 32), [{ spanId: idOf(1, 16), name: "a" }]);
  await page.getByText("1 span received").waitFor();

  expect(await page.getByRole("status").getAttribute("class")).toContain("is-green");
  expect(faults).toEqual([]);
});

test("a failed request of an Express application shows its exception and its links", async () => {
  await using program = await startProgram();
  await runApplication(program.httpUrl);
  const { page, faults } = await openPage(`${program.apiUrl}/?status=error`);
  await page.getByRole("option").filter({ hasText: "orders" }).first().click();
  await page.getByRole("treeitem").filter({ hasText: "charge card" }).click();
  const details = page.getByRole("complementary", { name: "Span" });
  await details.getByText("RangeError: the card was declined", { exact: true }).waitFor();

  expect(await details.getByLabel("Stack trace").textContent()).toContain("express-app.mjs");
  expect(page.url()).toMatch(/\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/);
  expect(await accessibilityFindings(page)).toEqual([]);

  await page.goto(`${program.apiUrl}/?name_contains=invoice`);
  await page.getByRole("listbox").getByRole("option").click();
  await page.getByRole("treeitem").click();
  await details.getByRole("link", { name: /^Span/ }).click();
  await details.getByRole("heading", { name: "request handler" }).waitFor();
  expect(faults).toEqual([]);
});

test("filters are in the URL, survive a reload, and Back removes them", async () => {
  await using program = await startProgram();
  const attributes = [{ key: "tenant", value: { stringValue: "blue" } }];
  await send(program.httpUrl, idOf(1, 32), [{ spanId: idOf(1, 16), name: "GET /a", attributes }]);
  await send(program.httpUrl, idOf(2, 32), [{ spanId: idOf(1, 16), name: "GET /b" }]);
  const { page, faults } = await openPage(program.apiUrl);
  const rows = page.getByRole("option", { name: "GET /" });
  await rows.nth(1).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("blue");
  await page.keyboard.press("Enter");
  await rows.nth(1).waitFor({ state: "detached" });

  expect(page.url()).toBe(`${program.apiUrl}/?text=blue`);
  await page.reload();
  await rows.first().waitFor();
  expect(await rows.allTextContents()).toEqual([expect.stringContaining("GET /a")]);

  await rows.first().click();
  await page.getByRole("treeitem").click();
  const filter = page.getByRole("link", { name: "Filter by this" }).first();
  expect(await filter.getAttribute("href")).toBe("/?attribute=tenant%3Dblue");
  await page.goBack();
  await page.getByRole("button", { name: "Remove filter text: blue" }).click();
  await rows.nth(1).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Remove filter text: blue" }).waitFor();
  expect(faults).toEqual([]);
});

test("a paused list counts the new traces, and shows them on demand", async () => {
  await using program = await startProgram();
  await send(program.httpUrl, idOf(1, 32), [{ spanId: idOf(1, 16), name: "first" }]);
  const { page, faults } = await openPage(program.apiUrl);
  const rows = page.getByRole("listbox").getByRole("option");
  await rows.first().waitFor();
  await page.keyboard.press("p");
  for (const number of [2, 3])
    await send(program.httpUrl, idOf(number, 32), [{ spanId: idOf(1, 16), name: "later" }]);
  const fresh = page.getByRole("button", { name: "2 new" });
  await fresh.waitFor();

  expect(await rows.count()).toBe(1);
  await fresh.click();
  await rows.nth(2).waitFor();
  expect(await rows.first().textContent()).toContain("later");
  expect(faults).toEqual([]);
});

test("keys choose and open a trace, fold and leave its spans", async () => {
  await using program = await startProgram();
  await send(program.httpUrl, idOf(1, 32), manySpans(5));
  const { page, faults } = await openPage(program.apiUrl);
  await page.getByRole("option", { name: "step 0" }).waitFor();
  for (const key of ["j", "Enter"]) await page.keyboard.press(key);
  const rows = page.getByRole("treeitem");
  await rows.nth(4).waitFor();
  for (const key of ["j", "h"]) await page.keyboard.press(key);
  await rows.nth(1).waitFor({ state: "detached" });
  await page.keyboard.press("ArrowRight");
  await rows.nth(4).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: "step 1" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Show the critical path").waitFor();
  for (const key of ["Escape", "Escape", "Escape"]) await page.keyboard.press(key);
  await page.getByRole("listbox", { name: "Traces" }).waitFor();

  expect(page.url()).toBe(`${program.apiUrl}/`);
  expect(faults).toEqual([]);
});

test("a trace of 10,000 spans is shown whole, with few rows at a time", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: "20000" });
  await send(program.httpUrl, idOf(1, 32), manySpans(10_000));
  const { page, faults } = await openPage(`${program.apiUrl}/traces/${idOf(1, 32)}`);
  const rows = page.getByRole("treeitem");
  await rows.first().waitFor();
  await page.getByRole("tree").evaluate((list) => void Object.assign(list, { scrollTop: 1e9 }));
  await rows.getByText("step 9840", { exact: true }).waitFor();

  expect(await rows.count()).toBeLessThan(120);
  expect(faults).toEqual([]);
});

test("missing parents and the skew of clocks are stated", async () => {
  await using program = await startProgram();
  const parentSpanId = idOf(1, 16);
  await send(program.httpUrl, idOf(1, 32), [
    { spanId: idOf(1, 16), name: "root", startTimeUnixNano: "2000", endTimeUnixNano: "3000" },
    { spanId: idOf(2, 16), name: "early", parentSpanId, startTimeUnixNano: "1000" },
    { spanId: idOf(3, 16), name: "orphan", parentSpanId: idOf(9, 16) },
  ]);
  const { page, faults } = await openPage(`${program.apiUrl}/traces/${idOf(1, 32)}`);
  await page.getByText("1 span without their parent").waitFor();
  await page.getByText("1 span began before their parent").waitFor();

  expect(await page.getByRole("treeitem", { name: "orphan" }).textContent()).toContain("unknown");
  expect(faults).toEqual([]);
});

test("a trace is saved as it was received", async () => {
  await using program = await startProgram();
  await send(program.httpUrl, idOf(1, 32), manySpans(3));
  const { page, faults } = await openPage(`${program.apiUrl}/traces/${idOf(1, 32)}`);
  for (const [button, accept] of [
    ["Save JSON", "application/json"],
    ["Save protobuf", "application/x-protobuf"],
  ] as const) {
    const saving = page.waitForEvent("download");
    await page.getByRole("button", { name: button }).click();
    const saved = readFileSync(await (await saving).path());
    const url = `${program.apiUrl}/api/traces/${idOf(1, 32)}`;
    const sent = await fetch(url, { headers: { Accept: accept } });
    expect(saved).toEqual(Buffer.from(await sent.bytes()));
  }
  expect(faults).toEqual([]);
});

test("the page asks for a token, and keeps it for the tab", async () => {
  const { token, line } = await createdToken();
  await using program = await startProgram({ API_AUTH_TOKENS_FILE: secretFile("readers", line) });
  await send(program.httpUrl, idOf(1, 32), [{ spanId: idOf(1, 16), name: "secret" }]);
  const { page } = await openPage(program.apiUrl);
  await page.getByLabel("API token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: "secret" }).waitFor();
  await page.reload();

  await page.getByRole("option", { name: "secret" }).waitFor();
});

test.each(["light", "dark"] as const)("in %s, a small screen has no findings", async (scheme) => {
  await using program = await startProgram();
  await send(program.httpUrl, idOf(1, 32), manySpans(100));
  const small = { colorScheme: scheme, viewport: { width: 360, height: 640 } };
  const { page, faults } = await openPage(program.apiUrl, small);
  const row = page.getByRole("listbox").getByRole("option");
  await row.waitFor();
  expect(await accessibilityFindings(page)).toEqual([]);
  await row.click();
  await page.getByRole("treeitem").first().click();
  await page.getByRole("complementary").waitFor();

  expect(await accessibilityFindings(page)).toEqual([]);
  const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
  expect(isWide).toBe(false);
  expect(faults).toEqual([]);
});
