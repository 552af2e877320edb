import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { closeBrowserAfterAll, openPage } from "../support/running/open-browser.ts";
import { startProgram } from "../support/running/running-program.ts";
import { accessibilityFindings, idOf, sendSpans } from "../support/running/shown-page.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { createdToken, secretFile } from "../support/running/token-files.ts";

closeBrowserAfterAll();

// Goal: what one page saves, another one takes, and a person reads what became of it.

const folder = temporaryFolder();
const TRACE = idOf(1, 32);

function linesOf(...names: readonly string[]): string {
  const lines = names.map((name, at) => {
    const span = { traceId: idOf(at + 1, 32), spanId: idOf(at + 1, 16), name };
    return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  });
  return `${lines.join("\n")}\n`;
}

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test.each(["Save JSON", "Save protobuf"])("what %s saves can be uploaded", async (button) => {
  await using source = await startProgram();
  await using target = await startProgram();
  await sendSpans(source.httpUrl, { traceId: TRACE }, [{ spanId: idOf(1, 16), name: "kept" }]);
  const { page: first } = await openPage(`${source.apiUrl}/traces/${TRACE}`);
  const saving = first.waitForEvent("download");
  await first.getByRole("button", { name: button }).click();
  const path = file("saved", readFileSync(await (await saving).path()));

  const { page, faults } = await openPage(target.apiUrl);
  await page.getByLabel("Files of spans").setInputFiles(path);
  await page.getByText("1 span of 1 trace").waitFor();
  await page.getByRole("option", { name: "kept" }).waitFor();

  expect(await accessibilityFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("files are chosen by keyboard, and what is refused is explained", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(program.apiUrl);
  const choosing = page.waitForEvent("filechooser");
  await page.getByText("Waiting for the first span").waitFor();
  await page.keyboard.press("u");
  await (
    await choosing
  ).setFiles([
    file("traces.jsonl.gz", Bun.gzipSync(`${linesOf("a", "b")}{"resourceSpans":[\n`)),
    file("notes.txt", "hello\n"),
  ]);
  const uploads = page.getByRole("region", { name: "Uploads" });
  await uploads.getByText("2 spans of 2 traces; 1 unreadable part skipped").waitFor();
  await uploads.getByText("line 3: incomplete or invalid JSON").waitFor();
  await uploads.getByText('this is not OTLP/JSON: a request begins with "{"').waitFor();

  await page.getByRole("listbox").getByRole("option").first().waitFor();
  expect(await accessibilityFindings(page)).toEqual([]);
  const [panel, view] = [await uploads.boundingBox(), await page.getByRole("main").boundingBox()];
  expect(panel!.height).toBeLessThan(200);
  expect(view!.y).toBe(panel!.y + panel!.height);
  await uploads.getByRole("button", { name: "Close" }).click();
  await uploads.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
});

test("a file is dropped anywhere on the page", async () => {
  await using program = await startProgram();
  const { page, faults } = await openPage(program.apiUrl);
  const files = await page.evaluateHandle(`
    const transfer = new DataTransfer();
    transfer.items.add(new File([${JSON.stringify(linesOf("dropped"))}], "dropped.jsonl"));
    transfer;
  `);
  await page.dispatchEvent("main", "dragover", { dataTransfer: files });
  await page.getByText("Drop files of spans").waitFor();
  await page.dispatchEvent("main", "drop", { dataTransfer: files });
  await page.getByText("1 span of 1 trace").waitFor();
  await page.getByText("Drop files of spans").waitFor({ state: "detached" });
  await page.getByRole("option", { name: "dropped" }).waitFor();

  expect(faults).toEqual([]);
});

test("an upload needs the token of the API, and says so", async () => {
  const { token, line } = await createdToken();
  await using program = await startProgram({ API_AUTH_TOKENS_FILE: secretFile("readers", line) });
  const { page } = await openPage(program.apiUrl);
  await page.getByLabel("API token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByText("Waiting for the first span").waitFor();
  await page.getByLabel("Files of spans").setInputFiles(file("secret.jsonl", linesOf("secret")));

  await page.getByRole("option", { name: "secret" }).waitFor();
});

test("a page of another site cannot upload", async () => {
  await using program = await startProgram();
  const foreign = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("<p>foreign</p>", { headers: { "Content-Type": "text/html" } }),
  });
  const { page } = await openPage(`http://127.0.0.1:${foreign.port}/`);
  const outcomes = await page.evaluate(
    async ([url, body]) => {
      const types = ["application/octet-stream", "text/plain"];
      const send = async (type: string, mode: "cors" | "no-cors") =>
        await fetch(url!, { method: "POST", body: body!, mode, headers: { "Content-Type": type } })
          .then(({ type: answer }) => answer as string)
          .catch(() => "failed");
      return [await send(types[0]!, "cors"), await send(types[1]!, "no-cors")];
    },
    [`${program.apiUrl}/api/upload`, linesOf("stolen")],
  );
  await foreign.stop(true);
  const stats = await fetch(`${program.apiUrl}/api/stats`);

  expect(outcomes[0]).toBe("failed");
  expect(await stats.json()).toMatchObject({ spans: { received: 0 } });
});
