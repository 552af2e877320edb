import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_PICTURE, runPicture } from "../../scripts/run-picture.ts";
import { terminalSvg } from "../../scripts/picture/terminal-svg.ts";

test(".github/run.svg is up to date; bun scripts/run-picture.ts writes it", async () => {
  expect(readFileSync(RUN_PICTURE, "utf8")).toBe(await runPicture());
});

test("the picture shows the command, a red expectation and the tree, and the README has it", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const picture = readFileSync(RUN_PICTURE, "utf8");
  const text = picture.replaceAll(/<[^>]*>/g, "");

  expect(readme.split("\n").slice(0, 4).join("\n")).toContain("](.github/run.svg)");
  expect(picture).toContain('fill="#ff7b72">✗</text>');
  expect(text).toContain(
    "$ spanring run --expect 'name=charge card &amp; status=ok' -- npm test\n",
  );
  expect(text).toContain("expected name=charge card &amp; status=ok\n");
  expect(text).toMatch(/└─\ncharge card\n/);
});

test("text and markup are escaped, and every piece keeps its column", () => {
  const svg = terminalSvg("a<b  \u001b[31m&é\u001b[0m>\n\u001b[1mx\u001b[0m", {
    columns: 10,
    title: "<&>",
  });

  expect(svg).toContain("<title>&lt;&amp;&gt;</title>");
  const texts = [
    ...svg.matchAll(/<text x="([\d.]+)"[^>]*?( fill="[^"]*"| font[^>]*)?>(.*)<\/text>/g),
  ];
  expect(texts.map(([, x, style = "", text]) => [x, style.trim(), text])).toEqual([
    ["16.0", "", "a&lt;b"],
    ["58.0", 'fill="#ff7b72"', "&amp;é"],
    ["74.8", "", "&gt;"],
    ["16.0", 'font-weight="bold"', "x"],
  ]);
});
