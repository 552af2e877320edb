import { expect, test } from "bun:test";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import { createdToken, secretFile } from "../support/running/token-files.ts";

closeBrowserAfterAll();

// Goal: what the page says to set is right for this spanring, not only for one on default ports.

test("the set-ups name the ports in use, and a token if one is needed", async () => {
  const { line } = await createdToken();
  await using program = await startProgram({ OTLP_AUTH_TOKENS_FILE: secretFile("senders", line) });
  const { page, faults } = await openPage(`${program.apiUrl}/connect`);
  const node = await page.getByLabel("Set-up for Node").textContent();
  await page.getByRole("button", { name: "Variables" }).click();
  const variables = await page.getByLabel("Set-up for Variables").textContent();

  expect(node).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${program.httpUrl}\n`);
  expect(variables).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${program.grpcUrl}\n`);
  expect(variables).toContain('OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20TOKEN"\n');
  await page.getByText("Replace TOKEN with a token of OTLP_AUTH_TOKENS_FILE.").waitFor();
  expect(faults).toEqual([]);
});

test("a set-up for a protocol that is off says what to set", async () => {
  await using program = await startProgram({ OTLP_HTTP_PORT: "off" });
  const { page, faults } = await openPage(`${program.apiUrl}/connect`);
  await page.getByRole("button", { name: "Ruby" }).click();
  await page.getByText("set OTLP_HTTP_PORT of spanring").waitFor();

  expect(faults).toEqual([]);
});

test("on a small screen, the names of all views are seen whole", async () => {
  await using program = await startProgram();
  const small = { viewport: { width: 360, height: 640 } };
  const { page } = await openPage(`${program.apiUrl}/connect`, small);
  const views = page.getByRole("navigation", { name: "Views" });
  await views.waitFor();

  const [shown, whole] = await views.evaluate((each) => {
    const { clientWidth, scrollWidth } = each as unknown as Record<string, number>;
    return [clientWidth, scrollWidth];
  });
  expect(shown).toBe(whole);
});
