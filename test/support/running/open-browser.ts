import { afterAll } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./launch-browser.ts";

/** A page in Chromium, and what went wrong on it. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors on the console, and requests to other hosts than the page's own. */
  readonly faults: readonly string[];
}

let browser: Promise<Browser> | undefined;

/**
 * Closes the browser after the tests of a file. Each file must call it: a page that stays open asks
 * the port of its program, which another program may use by then.
 */
export function closeBrowserAfterAll(): void {
  afterAll(async () => {
    const closing = browser;
    browser = undefined;
    await (await closing)?.close();
  });
}

/** Opens a URL in a new profile of a browser that all tests of a file share. */
export async function openPage(
  url: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<OpenedPage> {
  browser ??= launchBrowser();
  const context = await (await browser).newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== new URL(url).host)
      faults.push(`requests ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}
