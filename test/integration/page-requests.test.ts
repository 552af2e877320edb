import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import { accessibilityFindings, idOf, sendSpans } from "../support/running/shown-page.ts";

closeBrowserAfterAll();

// Goal: the view of the buffer says what arrives, even if no spans come of it.

test("the view says what exporters send, so that metrics alone are no riddle", async () => {
  await using program = await startProgram();
  await sendSpans(program.httpUrl, { traceId: idOf(1, 32) }, [{ spanId: idOf(1, 16), name: "a" }]);
  const metrics = { resourceMetrics: [] };
  const sent = await fetch(`${program.httpUrl}/v1/metrics`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(metrics),
  });
  expect(sent.ok).toBe(true);
  const { page, faults } = await openPage(`${program.apiUrl}/buffer`);
  const panel = page.getByRole("region", { name: "Requests" });
  await panel.getByText("1 of traces, 1 of metrics").waitFor();

  expect(await panel.locator("dd").allTextContents()).toEqual([
    "none; 0 connections",
    "1 of traces, 1 of metrics",
  ]);
  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});
