import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import { accessibilityFindings, idOf, sendSpans } from "../support/running/shown-page.ts";

closeBrowserAfterAll();

test("a trace that is evicted while it is listed is shown as no longer in memory", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: "2" });
  const send = async (number: number, name: string) =>
    await sendSpans(program.httpUrl, { traceId: idOf(number, 32) }, [
      { spanId: idOf(1, 16), name },
    ]);
  await send(1, "oldest");
  const { page, faults } = await openPage(program.apiUrl);
  const oldest = page.getByRole("option", { name: "oldest" });
  await oldest.waitFor();
  expect(await oldest.textContent()).not.toContain("no longer in memory");

  for (const number of [2, 3]) await send(number, `later ${number}`);
  await page.getByRole("option", { name: "later 3" }).waitFor();
  await oldest.getByText("no longer in memory").waitFor();

  const others = await page.getByRole("option", { name: "later" }).allTextContents();
  expect(others.filter((text) => text.includes("no longer in memory"))).toEqual([]);
  expect(await accessibilityFindings(page)).toEqual([]);
  await oldest.click();
  await page.getByRole("alert").waitFor();
  // The request for the evicted trace gets 404, which the browser logs.
  expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
});

test("the cells of a listed trace are on one line", async () => {
  await using program = await startProgram();
  const span = { startTimeUnixNano: "1000000", endTimeUnixNano: "2000000" };
  await sendSpans(program.httpUrl, { traceId: idOf(1, 32) }, [
    { spanId: idOf(1, 16), name: "root", ...span },
  ]);
  const { page } = await openPage(program.apiUrl);
  const cells = page.getByRole("option").locator("> *");
  await cells.first().waitFor();
  const boxes = await Promise.all(
    [0, 1, 2, 3].map(async (at) => await cells.nth(at).boundingBox()),
  );

  const middles = boxes.map((box) => Math.round(box!.y + box!.height / 2));
  expect(Math.max(...middles) - Math.min(...middles)).toBeLessThan(3);
});
