import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import { accessibilityFindings, idOf, sendSpans } from "../support/running/shown-page.ts";

closeBrowserAfterAll();

const FIRST = idOf(1, 32);
const SECOND = idOf(2, 32);

function lasting(at: number, durationMs: number) {
  return {
    startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(at)),
    endTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(at + durationMs * 1_000_000)),
  };
}

/** Sends a trace of a root and its children, of which each has a duration in milliseconds. */
async function sendTrace(httpUrl: string, traceId: string, children: Record<string, number>) {
  await sendSpans(httpUrl, { traceId }, [
    { spanId: idOf(1, 16), name: "GET /orders", ...lasting(0, 100) },
    ...Object.entries(children).map(([name, durationMs], at) => {
      const ids = { spanId: idOf(at + 2, 16), parentSpanId: idOf(1, 16) };
      return { ...ids, name, ...lasting(at, durationMs) };
    }),
  ]);
}

async function startWithTwo() {
  const program = await startProgram();
  await sendTrace(program.httpUrl, FIRST, { query: 10, cache: 5, log: 1 });
  await sendTrace(program.httpUrl, SECOND, { query: 30, charge: 7, log: 1 });
  return program;
}

test("a trace is compared with one that is chosen in the list", async () => {
  await using program = await startWithTwo();
  const { page, faults } = await openPage(`${program.apiUrl}/traces/${FIRST}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText(`Choose a trace to compare with ${FIRST}`).waitFor();
  expect(await accessibilityFindings(page)).toEqual([]);
  await page.locator(`#trace-${SECOND}`).click();
  const rows = page.getByRole("treeitem");
  await rows.nth(4).waitFor();

  expect(page.url()).toBe(`${program.apiUrl}/compare/${FIRST}/${SECOND}`);
  const cells = await rows.locator("> *").allTextContents();
  const texts = Array.from({ length: 5 }, (_, at) => cells.slice(at * 4, at * 4 + 4));
  expect(texts.map((row) => row.map((cell) => cell.trim()).join("|"))).toEqual([
    "GET /ordersshop|100 ms|100 ms|",
    "queryshop|10 ms|30 ms|+20 ms (+200 %)",
    "cacheshop|5 ms|–|missing",
    "chargeshop|–|7 ms|new",
    "logshop|1 ms|1 ms|",
  ]);
  const counts = await page.getByRole("status").textContent();
  expect(counts).toBe("1 new1 missing1 slower0 faster2 alike");
  expect(await accessibilityFindings(page)).toEqual([]);

  await page.reload();
  await rows.nth(4).waitFor();
  await rows.filter({ hasText: "charge" }).getByRole("link").click();
  await page.getByRole("heading", { name: "charge" }).waitFor();
  expect(page.url()).toContain(`/traces/${SECOND}?span=`);
  expect(faults).toEqual([]);
});

test("a comparison is begun, narrowed, turned round and left by keys and buttons", async () => {
  await using program = await startWithTwo();
  const { page, faults } = await openPage(`${program.apiUrl}/?service=shop`);
  await page.locator(`#trace-${FIRST}`).waitFor();
  for (const key of ["j", "x"]) await page.keyboard.press(key);
  await page.getByText(`Choose a trace to compare with ${SECOND}`).waitFor();
  expect(page.url()).toBe(`${program.apiUrl}/?service=shop&compare=${SECOND}`);
  for (const key of ["j", "Enter"]) await page.keyboard.press(key);
  const rows = page.getByRole("treeitem");
  await rows.nth(4).waitFor();
  await page.keyboard.press("d");
  await rows.nth(4).waitFor({ state: "detached" });

  expect(await rows.count()).toBe(4);
  expect(page.url()).toBe(`${program.apiUrl}/compare/${SECOND}/${FIRST}`);
  await rows.filter({ hasText: "−20 ms (−67 %)" }).waitFor();
  await page.getByRole("button", { name: "Swap" }).click();
  await rows.filter({ hasText: "+20 ms (+200 %)" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "GET /orders" }).waitFor();
  expect(page.url()).toBe(`${program.apiUrl}/traces/${SECOND}`);
  expect(faults).toEqual([]);
});

test("a trace that is not buffered cannot be compared, and the page says so", async () => {
  await using program = await startWithTwo();
  const { page } = await openPage(`${program.apiUrl}/compare/${FIRST}/${idOf(9, 32)}`);

  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").textContent()).toContain("buffered");
});

test.each(["light", "dark"] as const)("in %s, a small screen has no findings", async (scheme) => {
  await using program = await startWithTwo();
  const small = { colorScheme: scheme, viewport: { width: 360, height: 640 } };
  const { page, faults } = await openPage(`${program.apiUrl}/compare/${FIRST}/${SECOND}`, small);
  await page.getByRole("treeitem").first().waitFor();

  expect(await accessibilityFindings(page)).toEqual([]);
  const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
  expect(isWide).toBe(false);
  expect(faults).toEqual([]);
});
