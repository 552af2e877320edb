import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import type { CommandRun } from "../../../../src/adapters/cli/command/command-run.ts";
import {
  annotationLines,
  reportToGithub,
  summaryMarkdown,
} from "../../../../src/adapters/cli/run/github-report.ts";
import type { TestCase } from "../../../../src/adapters/cli/run/junit.ts";
import type { Environment } from "../../../../src/config/config.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const PASSED: TestCase = { name: "npm test", seconds: 1 };

function failing(name: string, failure = "seen: 0 spans"): TestCase {
  return { name, seconds: 1, failure };
}

/** Returns the text inside of an annotation, as the runner reads it. */
function readAnnotation(line: string): { title: string; message: string } {
  const [, title = "", message = ""] = /^::error title=([^:,]*)::(.*)$/.exec(line) ?? [];
  return { title: decodeURIComponent(title), message: decodeURIComponent(message) };
}

describe("an annotation", () => {
  test("has the expectation as its title, and the failure as its message", () => {
    const lines = annotationLines([PASSED, failing("name=GET /", "seen: 0 spans\n  no span")]);

    expect(lines).toEqual(["::error title=spanring%3A name=GET /::seen: 0 spans%0A  no span"]);
  });

  test.each([
    { name: "a percent sign", text: "100% %0A" },
    { name: "line ends", text: "a\r\nb\n::error::c" },
    { name: "separators", text: "a::b,c:d" },
  ])("keeps $name in its message", ({ text }) => {
    const [line = "", ...others] = annotationLines([failing("n", text)]);

    expect(others).toEqual([]);
    expect(line).not.toMatch(/[\r\n]/);
    expect(readAnnotation(line).message).toBe(text);
  });

  test("keeps separators and shows control characters escaped in its title", () => {
    const [line = ""] = annotationLines([failing("a::b, 5%\n::c\u001b[0m")]);

    expect(readAnnotation(line).title).toBe(String.raw`spanring: a::b, 5%\n::c\x1b[0m`);
  });

  test("is no longer than the runner takes, and never ends in half a character", () => {
    const [line = ""] = annotationLines([failing("😀".repeat(99), "😀".repeat(4096))]);
    const { title, message } = readAnnotation(line);

    expect([title.length, message.length]).toEqual([120, 4096]);
    expect([title, message].every((text) => text.isWellFormed() && text.endsWith("…"))).toBe(true);
  });

  test("stands for the rest, if there are more failures than GitHub shows", () => {
    const lines = annotationLines(Array.from({ length: 12 }, (_, at) => failing(`case ${at}`)));

    expect(lines).toHaveLength(10);
    expect(lines[8]).toContain("case 8::");
    expect(lines[9]).toBe("::error title=spanring::3 more failures: see the log");
  });
});

describe("the summary of the step", () => {
  test("lists every case, and the failures in full", () => {
    const text = summaryMarkdown([PASSED, failing("name=GET /", "seen: 0 spans\n  near")]);

    expect(text).toBe(`### spanring: 1 of 2 failed

- ✅ \` npm test \`
- ❌ \` name=GET / \`

\` name=GET / \`

\`\`\`text
seen: 0 spans
  near
\`\`\`

`);
  });

  test("says that all cases have passed", () => {
    expect(summaryMarkdown([PASSED])).toStartWith("### spanring: passed\n");
  });

  test("shows markup as text, even if it has backticks", () => {
    const text = summaryMarkdown([failing("a ``` <b>\n# c", "```\n<img src=x>\n````")]);

    expect(text).toContain("- ❌ ```` a ``` <b>\\n# c ````\n");
    expect(text).toContain("\n`````text\n```\n<img src=x>\n````\n`````\n");
  });

  test("is bounded, with whole pieces, and says what it leaves out", () => {
    const cases = Array.from({ length: 20 }, (_, at) => failing(`case ${at}`, "x".repeat(20_000)));

    const text = summaryMarkdown(cases);

    expect(Buffer.byteLength(text)).toBeLessThan(65 * 1024);
    expect(text).toContain("- ❌ ` case 19 `\n");
    expect(text.match(/```text\nx+…\n```\n/g)).toHaveLength(7);
    expect(text).toEndWith("\n… and 13 more items: see the log\n\n");
  });
});

/** Reports a run to GitHub; returns what it prints. */
function reported(env: Environment, cases: readonly TestCase[]): string {
  const stderr = writtenText(false);
  reportToGithub({ env, stderr } as unknown as CommandRun, cases);
  return stderr.text();
}

function summaryFile(text: string): string {
  const path = join(temporaryFolder(), "summary.md");
  writeFileSync(path, text);
  return path;
}

describe("a run", () => {
  const failed = [PASSED, failing("name=GET /")];

  test("on GitHub prints annotations on lines of their own, and appends to the summary", () => {
    const path = summaryFile("# before\n");

    const text = reported({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: path }, failed);

    expect(text).toBe("\n::error title=spanring%3A name=GET /::seen: 0 spans\n");
    expect(readFileSync(path, "utf8")).toBe(`# before\n${summaryMarkdown(failed)}`);
  });

  test("elsewhere reports nothing to GitHub", () => {
    const path = summaryFile("");

    expect(reported({ GITHUB_STEP_SUMMARY: path }, failed)).toBe("");
    expect(readFileSync(path, "utf8")).toBe("");
  });

  test("without a file for the summary prints annotations only", () => {
    expect(reported({ GITHUB_ACTIONS: "true" }, failed)).toContain("::error ");
  });

  test("that succeeds without expectations has no place in the summary", () => {
    const path = summaryFile("");

    expect(reported({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: path }, [PASSED])).toBe("");
    expect(readFileSync(path, "utf8")).toBe("");
  });

  test("leaves a summary alone that GitHub would reject if it became larger", () => {
    const path = summaryFile("x".repeat(1024 * 1024 - 10));

    const text = reported({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: path }, failed);

    expect(text).toEndWith(`GITHUB_STEP_SUMMARY "${path}" is full, so this run is not in it\n`);
    expect(readFileSync(path, "utf8")).toHaveLength(1024 * 1024 - 10);
  });

  test("reports a summary that cannot be written", () => {
    const path = join(temporaryFolder(), "folder");
    mkdirSync(path);

    const text = reported({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: path }, failed);

    expect(text).toEndWith(
      `cannot write GITHUB_STEP_SUMMARY "${path}": it is a folder, not a file\n`,
    );
  });
});
