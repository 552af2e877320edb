import { expect, test } from "bun:test";
import { join } from "node:path";
import { bundlePage } from "../../src/adapters/read-api/page/bundle-page.ts";

const ROOT = join(import.meta.dir, "../..");

test("the page has no type errors", () => {
  const { exitCode, stderr } = Bun.spawnSync(
    [process.execPath, "check", "--no-script", "-p", "src/page"],
    { cwd: ROOT },
  );

  expect([stderr.toString(), exitCode]).toEqual([expect.stringContaining("No type errors"), 0]);
});

test("the page has at most 150 kB compressed", async () => {
  const files = Object.values(await bundlePage());
  const compressed = files.map((text) => Bun.gzipSync(text).length);

  expect(compressed.reduce((sum, length) => sum + length, 0)).toBeLessThan(150_000);
});

test("the page names no other host", async () => {
  const { html, script, style } = await bundlePage();
  const named = [html, script, style].flatMap((text) => text.match(/https?:\/\/[\w.-]+/g) ?? []);

  // The names of XML dialects, which are not requested.
  expect(named.filter((url) => url !== "http://www.w3.org")).toEqual([]);
});
