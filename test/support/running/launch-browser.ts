import chromium from "@sparticuz/chromium";
import { type Browser, chromium as driver } from "playwright-core";

/** Starts Chromium, which an npm package brings along. */
export async function launchBrowser(): Promise<Browser> {
  return driver.launch({
    executablePath: await chromium.executablePath(),
    // Only the page under test is opened, and the sandbox needs rights that containers lack.
    args: ["--no-sandbox", "--disable-gpu"],
  });
}
