import { join } from "node:path";
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import {
  accessibilityFindings,
  idOf,
  sendSpans,
  type SentSpan,
} from "../support/running/shown-page.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { createdToken, secretFile } from "../support/running/token-files.ts";

closeBrowserAfterAll();

// Goal: the view of the buffer shows its accounting, as it changes.
// Method: the program with a small buffer, an upstream that stops, and Chromium.

function spans(count: number): SentSpan[] {
  return Array.from({ length: count }, (_, at) => ({ spanId: idOf(at + 1, 16), name: "a" }));
}

/** Sends 30 spans of `shop` and 100 of `cart`. */
async function sendTwoServices(httpUrl: string): Promise<void> {
  await sendSpans(httpUrl, { traceId: idOf(1, 32), service: "shop" }, spans(30));
  await sendSpans(httpUrl, { traceId: idOf(2, 32), service: "cart" }, spans(100));
}

/** Returns the cells of the accounting, a row at a time. */
async function accounting(page: Page): Promise<string[][]> {
  const rows = await page.getByRole("table").getByRole("row").all();
  const cells = rows.slice(1).map((row) => row.locator("th, td").allTextContents());
  return (await Promise.all(cells)).map((row) => row.slice(0, 9));
}

test("a full buffer shows what each service sent, and what was evicted", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: "100" });
  await sendTwoServices(program.httpUrl);
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  await page.getByRole("meter", { name: "Spans" }).waitFor();
  await page.getByRole("table").waitFor();

  const full = await page.getByRole("meter", { name: "Spans" }).getAttribute("aria-valuetext");
  expect(full).toBe("100 of 100 spans, 100 %");
  expect(await accounting(page)).toEqual([
    ["cart", "100", "0", "100", "100", "0", "0", "0", "0"],
    ["shop", "30", "0", "30", "0", "0", "0", "30", "0"],
    ["All services", "130", "0", "130", "100", "0", "0", "30", "0"],
  ]);
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("the accounting is sorted by its heads, and the URL keeps the order", async () => {
  await using program = await startProgram();
  await sendTwoServices(program.httpUrl);
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  const first = page.getByRole("rowheader").first();
  await first.getByText("cart").waitFor();
  await page.getByRole("button", { name: "Received" }).click();
  await first.getByText("shop").waitFor();

  const head = page.getByRole("columnheader", { name: "Received" });
  expect(await head.getAttribute("aria-sort")).toBe("ascending");
  expect(page.url()).toBe(`${program.apiUrl}/buffer?sort=received`);
  await page.reload();
  await first.getByText("shop").waitFor();

  await page.getByRole("button", { name: "Bytes" }).click();
  await page.getByRole("row", { name: /^shop \d+ B/ }).waitFor();
  await first.getByRole("link").click();
  await page.getByRole("listbox", { name: "Traces" }).waitFor();
  expect(page.url()).toBe(`${program.apiUrl}/?service=shop`);
  expect(faults).toEqual([]);
});

test("the accounting shows new spans without a reload", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  await page.getByRole("row", { name: "All services 0" }).waitFor();
  await sendTwoServices(program.httpUrl);
  await page.getByRole("row", { name: "All services 130" }).waitFor();

  expect((await accounting(page)).map(([service]) => service)).toEqual([
    "cart",
    "shop",
    "All services",
  ]);
  expect(faults).toEqual([]);
});

/** Returns the different heights of a line. */
function heights(path: string | null): Set<string> {
  return new Set(path!.match(/(?<= )[\d.]+/g));
}

test("lines show the spans per second, and the arrows choose a time", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: "100" });
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  await page.locator('[aria-valuetext="0 s ago: received 0/s, evicted 0/s"]').waitFor();
  const flat = await page.locator(".plot .flow-received").getAttribute("d");
  await sendTwoServices(program.httpUrl);
  await page.locator('[role="slider"]:not([aria-valuetext*="evicted 0/s"])').waitFor();

  const line = await page.locator(".plot .flow-received").getAttribute("d");
  expect(heights(flat)).toEqual(new Set(["100.00"]));
  expect(heights(line).size).toBeGreaterThan(1);
  await page.getByRole("slider").press("Home");
  await page.locator('[aria-valuetext*="ago: received 0/s, evicted 0/s"]').waitFor();
  await page.getByRole("slider").press("End");
  await page.locator('[aria-valuetext^="0 s ago"]').waitFor();
  expect(faults).toEqual([]);
});

test("the lines go on while another view is shown", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(program.apiUrl);
  await page.keyboard.press("3");
  await page.locator('[aria-valuetext^="0 s ago"]').waitFor();
  const points = async (): Promise<number> =>
    (await page.locator(".plot .flow-received").getAttribute("d"))!.split("L").length;
  const before = await points();
  await page.keyboard.press("1");
  await page.getByText("Waiting for the first span").waitFor();
  await page.waitForResponse(/stats/);
  await page.waitForResponse(/stats/);
  await page.keyboard.press("3");
  await page.locator('[aria-valuetext^="0 s ago"]').waitFor();

  expect(await points()).toBeGreaterThan(before);
  expect(faults).toEqual([]);
});

test("forwarding is shown as connected, and as failing with what to check", async () => {
  await using upstream = await startProgram();
  await using program = await startProgram({ FORWARD_ENDPOINT: upstream.httpUrl });
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  const panel = page.getByRole("region", { name: "Forwarding" });
  await panel.getByText("Not tried yet").waitFor();
  await sendSpans(program.httpUrl, { traceId: idOf(1, 32) }, spans(3));
  await panel.getByText("Connected").waitFor();
  await page.getByText("delivered", { exact: true }).waitFor();
  await upstream.stop();
  await sendSpans(program.httpUrl, { traceId: idOf(2, 32) }, spans(4));
  await panel.getByText("The upstream fails").waitFor();
  await panel.getByText("Next attempt").waitFor();

  const endpoint = new URL(upstream.httpUrl).host;
  expect(await panel.textContent()).toContain(endpoint);
  await panel.getByText(/^Last error at \d\d:/).waitFor();
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("without forwarding and problems, the view says so, and names the variable", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  await page.getByRole("region", { name: "Forwarding" }).getByText("FORWARD_ENDPOINT").waitFor();
  await page.getByText("None since the start.").waitFor();

  expect(await page.getByRole("region", { name: "Log on disk" }).count()).toBe(0);
  expect(faults).toEqual([]);
});

test("with DATA_DIR, the view shows what the log holds", async () => {
  const DATA_DIR = join(temporaryFolder(), "data");
  await using program = await startProgram({ DATA_DIR, DURABILITY: "process" });
  await sendSpans(program.httpUrl, { traceId: idOf(1, 32) }, spans(3));
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  const panel = page.getByRole("region", { name: "Log on disk" });
  await panel.getByText(/^3 spans, \d+ B$/).waitFor();

  const used = await panel.getByRole("meter", { name: "Used" }).getAttribute("aria-valuetext");
  expect(used).toMatch(/^\d+ B of 1 GiB, < 0.1 %$/);
  expect(await panel.textContent()).toContain("once they are written");
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("spans that memory has no room for are shown as on disk only", async () => {
  const DATA_DIR = join(temporaryFolder(), "data");
  await using program = await startProgram({ DATA_DIR, MAX_BUFFER_SIZE: "100" });
  await sendTwoServices(program.httpUrl);
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  const memory = page.getByRole("meter", { name: "Spans in memory" });
  await memory.waitFor();

  expect(await memory.getAttribute("aria-valuetext")).toBe("100 of 100 spans, 100 %");
  const panel = page.getByRole("region", { name: "Log on disk" });
  await panel.getByText(/^30 spans, \d+ B$/).waitFor();
  await panel.getByText("Traces and services do not cover them.").waitFor();
  await page.keyboard.press("2");
  await page.getByText("Spans that are only on disk, and not covered: 30.").waitFor();
  expect(faults).toEqual([]);
});

test("recent problems appear with their sender, detail and hint", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  await page.getByText("None since the start.").waitFor();
  await fetch(`${program.httpUrl}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"a":',
  });
  const problem = page.getByRole("region", { name: "Recent problems" }).getByRole("listitem");
  await problem.waitFor();

  const text = await problem.textContent();
  expect(text).toContain("not otlp json1×http from 127.0.0.1, last at ");
  expect(text).toContain("expected a JSON value, but the body ends");
  expect(text).toContain("protobuf with Content-Type: application/x-protobuf");
  expect(faults).toEqual([]);
});

test("digits show the views, and the navigation marks the current one", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(program.apiUrl);
  const current = page.locator('nav [aria-current="page"]');
  await current.getByText("Traces").waitFor();
  for (const [key, view] of [
    ["2", "Services"],
    ["3", "Buffer"],
    ["4", "Connect"],
    ["1", "Traces"],
  ] as const) {
    await page.keyboard.press(key);
    await current.getByText(view).waitFor();
    expect(await page.title()).toBe(`${view} · spanring`);
    expect(await page.locator("main:focus").count()).toBe(1);
  }
  await page.getByText("Waiting for the first span").waitFor();
  expect(await page.locator("main:focus").count()).toBe(1);
  await page.goBack();
  await current.getByText("Connect").waitFor();
  expect(faults).toEqual([]);
});

test("keys scroll the view as soon as it is shown", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`, {
    viewport: { width: 800, height: 300 },
  });
  await page.getByText("None since the start.").waitFor();
  await page.keyboard.press("End");
  // Resolves at the first frame that shows more than the beginning.
  const scrolled = await page.evaluate(`new Promise((resolve) => {
    const look = () => {
      const { scrollTop } = document.querySelector("main");
      return scrollTop > 100 ? resolve(scrollTop) : requestAnimationFrame(look);
    };
    look();
  })`);

  expect(scrolled).toBeGreaterThan(100);
  expect(faults).toEqual([]);
});

test("the view asks for a token, and then shows the buffer", async () => {
  const { token, line } = await createdToken();
  await using program = await startProgram({ API_AUTH_TOKENS_FILE: secretFile("readers", line) });
  const { page } = await openPage(`${program.apiUrl}/buffer`);
  await page.getByLabel("API token").fill(token);
  await page.keyboard.press("Enter");

  await page.getByRole("meter", { name: "Spans" }).waitFor();
});

test.each([
  { colorScheme: "light", width: 360, height: 640 },
  { colorScheme: "dark", width: 360, height: 640 },
  { colorScheme: "light", width: 2560, height: 1440 },
  { colorScheme: "dark", width: 2560, height: 1440 },
] as const)("in $colorScheme at $width px, the view has no findings", async (size) => {
  await using program = await startProgram({ DATA_DIR: join(temporaryFolder(), "data") });
  await fetch(`${program.apiUrl}/v1/traces`, { method: "POST" });
  await sendTwoServices(program.httpUrl);
  const { colorScheme, ...viewport } = size;
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`, { colorScheme, viewport });
  await page.getByRole("row", { name: "All services" }).waitFor();

  expect(await accessibilityFindings(page)).toEqual([]);
  const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
  expect(isWide).toBe(false);
  expect(faults).toEqual([]);
});
