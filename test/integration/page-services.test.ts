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

closeBrowserAfterAll();

// Goal: the view of the services shows their operations and calls, as they change.
// Method: the program, requests that pass several services, and Chromium.

const MS = 1_000_000;
const ERROR = { status: { code: 2 } };

/** Returns a span of the given length; the parent is in the same trace. */
function span(number: number, parent: number, name: string, ms: number): SentSpan {
  return {
    spanId: idOf(number, 16),
    ...(parent > 0 && { parentSpanId: idOf(parent, 16) }),
    name,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(ms * MS)),
  };
}

/** Sends a trace: web calls shop twice, once with an error, and shop calls stock. */
async function sendTrace(httpUrl: string, number: number): Promise<void> {
  const traceId = idOf(number, 32);
  await sendSpans(httpUrl, { traceId, service: "web" }, [span(1, 0, "GET /", 100)]);
  await sendSpans(httpUrl, { traceId, service: "shop" }, [
    span(2, 1, "GET /items", 10),
    { ...span(3, 1, "POST /orders", 40), ...ERROR },
  ]);
  await sendSpans(httpUrl, { traceId, service: "stock" }, [span(4, 3, "SELECT", 5)]);
}

/** Sends a trace in which each of many services calls the next, and the first one calls all. */
async function sendManyServices(httpUrl: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const spans = [
      span(number, Math.floor(number / 2), "work", 10),
      span(1000 + number, number % 7 === 0 ? 1 : 0, "job", 20),
    ];
    await sendSpans(httpUrl, { traceId: idOf(1, 32), service: `service-${number}` }, spans);
  }
}

async function cells(page: Page, table: string): Promise<string[][]> {
  const rows = await page.getByRole("table", { name: table }).getByRole("row").all();
  return await Promise.all(rows.slice(1).map((row) => row.locator("th > a, td").allTextContents()));
}

test("each operation has its count, errors and percentiles", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  await sendTrace(program.httpUrl, 2);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  await page.getByRole("table", { name: "Operations" }).waitFor();

  const read = await cells(page, "Operations");
  const figures = read.map(([name, service, count, rate, errors, ...rest]) => {
    return [name, service, count, rate, errors, rest.slice(0, 3).join(" ").replaceAll(" ms", "")];
  });
  expect(figures.toSorted()).toEqual([
    ["GET /", "web", "2", "20/s", "0", expect.stringMatching(/^(\d{2,3}(\.\d)? ?){3}$/)],
    ["GET /items", "shop", "2", "20/s", "0", expect.stringMatching(/^(\d{1,2}(\.\d+)? ?){3}$/)],
    ["POST /orders", "shop", "2", "20/s", "2", expect.stringMatching(/^(\d\d(\.\d)? ?){3}$/)],
    ["SELECT", "stock", "2", "20/s", "0", expect.stringMatching(/^(\d(\.\d+)? ?){3}$/)],
  ]);
  expect(read[0]!.at(-1)).toMatch(/^2023-11-1\d \d\d:\d\d:20$/);
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("operations are sorted and found, and the URL keeps both", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  const first = page.getByRole("table", { name: "Operations" }).getByRole("rowheader").first();
  await page.getByRole("button", { name: "p95" }).click();
  await first.getByText("GET /", { exact: true }).waitFor();
  await page.getByRole("button", { name: "p95" }).click();
  await first.getByText("SELECT").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("shop");
  await first.getByText("GET /items").waitFor();

  expect(page.url()).toBe(`${program.apiUrl}/services?sort=p95&find=shop`);
  await page.reload();
  await first.getByText("GET /items").waitFor();
  expect(await page.getByLabel("Find an operation").inputValue()).toBe("shop");
  await page.getByLabel("Find an operation").fill("nothing");
  await page.getByText("No operation has this text.").waitFor();
  expect(faults).toEqual([]);
});

test("each row, and each count of errors, leads to its traces", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  const row = page.getByRole("row", { name: "POST /orders" });
  await row.getByRole("cell").nth(2).click();
  await page.getByRole("option", { name: "GET /" }).waitFor();
  const filter = "service=shop&name=POST+%2Forders";
  expect(page.url()).toBe(`${program.apiUrl}/?${filter}`);
  await page.getByRole("button", { name: "Remove filter whole name: POST /orders" }).waitFor();

  await page.goBack();
  await row.getByRole("link", { name: "1, show the errors" }).click();
  await page.getByRole("option", { name: "GET /" }).waitFor();
  expect(page.url()).toBe(`${program.apiUrl}/?${filter}&status=error`);
  expect(faults).toEqual([]);
});

test("the map shows who calls whom, and the arrow keys follow the calls", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  const map = page.getByRole("list", { name: "Services" });
  const names = ["web", "shop", "stock"];
  const nodes = names.map((name) => map.getByRole("link", { name: new RegExp(`^${name} `) }));
  await nodes[0]!.waitFor();

  const boxes = await Promise.all(nodes.map((node) => node.boundingBox()));
  expect(boxes[0]!.x).toBeLessThan(boxes[1]!.x);
  expect(boxes[1]!.x).toBeLessThan(boxes[2]!.x);
  const named = map.getByRole("link", {
    name: "shop 2 spans 50 % errors calls stock; called by web",
  });
  expect(await named.count()).toBe(1);
  expect(await page.locator(".map text").allTextContents()).toEqual(["1", "2, 50 % errors"]);

  await nodes[0]!.focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"])
    await page.keyboard.press(key);
  expect(await page.locator(".map-node:focus .service").textContent()).toBe("stock");
  await page.keyboard.press("Enter");
  await page.getByRole("listbox", { name: "Traces" }).waitFor();
  expect(page.url()).toBe(`${program.apiUrl}/?service=stock`);
  expect(faults).toEqual([]);
});

test("Tab leads to one service of the map, and the service in focus stands out", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  const nodes = page.locator(".map-node");
  await nodes.nth(2).waitFor();
  expect(await page.locator('.map-node[tabindex="0"]').count()).toBe(1);
  expect(await page.locator('.map-node[tabindex="-1"]').count()).toBe(2);
  await page.getByRole("link", { name: /^web / }).focus();

  expect(await page.locator(".map-node.is-faint").allTextContents()).toEqual([
    expect.stringMatching(/^stock1 span/),
  ]);
  expect(await page.locator(".call.is-near").count()).toBe(1);
  await page.keyboard.press("Tab");
  expect(await page.locator(".map-node:focus").count()).toBe(0);
  expect(await page.locator(".map-node.is-faint").count()).toBe(0);
  expect(faults).toEqual([]);
});

test("the table has the calls of the map, with links and percentiles", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const links = [{ traceId: idOf(1, 32), spanId: idOf(1, 16) }];
  const mail = { ...span(9, 0, "send", 1), links };
  await sendSpans(program.httpUrl, { traceId: idOf(9, 32), service: "mail" }, [mail]);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("table", { name: "Calls between services" }).waitFor();

  const rows = await cells(page, "Calls between services");
  expect(rows.map((row) => row.slice(0, 5))).toEqual([
    ["web", "shop", "2", "1", "0"],
    ["shop", "stock", "1", "0", "0"],
    ["web", "mail", "0", "0", "1"],
  ]);
  expect(rows[1]!.slice(5)).toEqual(rows[1]!.slice(5).map(() => expect.stringMatching(/ ms$/)));
  expect(rows[2]!.slice(5)).toEqual(["unknown", "unknown", "unknown"]);
  expect(page.url()).toBe(`${program.apiUrl}/services?calls=table`);
  expect(await accessibilityFindings(page)).toEqual([]);
  await page.getByRole("button", { name: "Map" }).click();
  await page.locator(".call.is-link").waitFor();
  expect(faults).toEqual([]);
});

test("new spans appear without a reload, in the same rows and places", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  const node = page.getByRole("link", { name: /^shop / });
  const row = page.getByRole("row", { name: "POST /orders" });
  await row.waitFor();
  await page.evaluate(
    `document.querySelectorAll("a, tr").forEach((each) => each.setAttribute("data-before", "yes"))`,
  );
  const before = await node.boundingBox();
  await sendTrace(program.httpUrl, 2);
  await page.getByRole("link", { name: /^shop 4 spans 50 % errors/ }).waitFor();

  expect(await node.boundingBox()).toEqual(before);
  expect(await node.getAttribute("data-before")).toBe("yes");
  expect(await row.getAttribute("data-before")).toBe("yes");
  expect(faults).toEqual([]);
});

test("a paused view stays as it is until it is resumed", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  await page.getByText("4 spans in the buffer").waitFor();
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await sendTrace(program.httpUrl, 2);
  for (let read = 0; read < 4; read += 1) await page.waitForResponse(/stats/);
  expect(await page.getByText("4 spans in the buffer").count()).toBe(1);
  await page.keyboard.press("p");

  await page.getByText("8 spans in the buffer").waitFor();
  expect(faults).toEqual([]);
});

test("an unchanged buffer is not searched again", async () => {
  await using program = await startProgram();
  await sendTrace(program.httpUrl, 1);
  const { page } = await openPage(`${program.apiUrl}/services`);
  await page.getByText("4 spans in the buffer").waitFor();
  const searches: string[] = [];
  page.on("request", (request) => searches.push(new URL(request.url()).pathname));
  for (let read = 0; read < 5; read += 1) await page.waitForResponse(/stats/);

  expect(new Set(searches)).toEqual(new Set(["/api/stats"]));
});

test("what is unknown is stated, and an empty buffer says so", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(`${program.apiUrl}/services`);
  await page.getByText("No span is buffered.").waitFor();
  expect(await accessibilityFindings(page)).toEqual([]);
  await sendSpans(program.httpUrl, { traceId: idOf(1, 32) }, [span(2, 7, "", 1)]);
  await page.getByText("Parents that are not buffered: 1.").waitFor();

  const row = page.getByRole("row", { name: "(no name)" });
  expect(await row.getByRole("link").getAttribute("href")).toBe("/?service=shop");
  expect(faults).toEqual([]);
});

test.each([
  { colorScheme: "light", width: 360, height: 640, services: 30 },
  { colorScheme: "dark", width: 360, height: 640, services: 3 },
  { colorScheme: "light", width: 2560, height: 1440, services: 1 },
  { colorScheme: "dark", width: 2560, height: 1440, services: 40 },
] as const)(
  "in $colorScheme at $width px, $services services have no findings",
  async ({ colorScheme, services, ...viewport }) => {
    await using program = await startProgram();
    await sendManyServices(program.httpUrl, services);
    const { page, faults } = await openPage(`${program.apiUrl}/services`, {
      colorScheme,
      viewport,
    });
    await page.locator(".map-node").first().waitFor();

    expect(await page.locator(".map-node").count()).toBe(Math.min(30, services));
    expect(await accessibilityFindings(page)).toEqual([]);
    const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(isWide).toBe(false);
    expect(faults).toEqual([]);
  },
);
