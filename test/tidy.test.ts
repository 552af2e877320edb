import { expect, test } from "bun:test";
import { longFunctions } from "./support/tidy/function-length.ts";
import type { LongFunctions } from "./support/tidy/function-length.ts";
import { applicationDisorder, fileCycles, folderCycles } from "./support/tidy/import-order.ts";
import { outwardImports } from "./support/tidy/layers.ts";
import { sourcesNoTestLoads, testsWithoutCounterpart } from "./support/tidy/mirror.ts";
import { deadNames, deadTitles, treeFaults } from "./support/tidy/page-names.ts";
import { isSource, isWritten, repositoryFiles } from "./support/tidy/repository-files.ts";
import { unsafeTimers } from "./support/tidy/timer-delays.ts";
import {
  forbiddenName,
  longFile,
  longLines,
  longPort,
  placesOfOneMachine,
  rulesOffWithoutReason,
  settingsOffWithoutReason,
  testsThatDoNotRun,
  timeLimitsOfTests,
  unfinishedWork,
} from "./support/tidy/written-text-rules.ts";

// Goal: the repository follows its own style, and each exception is listed here with its reason.
// Method: every rule is a function from a file to its violations; `tidy-rules.test.ts` shows that
// each rule can find one.

const LONG_FUNCTIONS: LongFunctions = {
  "src/domain/wire/request-walk.ts walkMessages":
    "every field of every span passes through its one loop; in pieces, its locals would go " +
    "through memory each time",
};

/** Pages that name files of users; other tests run the examples of the README. */
const PAGES_OF_USERS: ReadonlySet<string> = new Set(["README.md", "CHANGELOG.md"]);

const files = repositoryFiles();
const written = files.filter(isWritten);
const sources = files.filter(isSource);

test("the rules are applied to all files", () => {
  const paths = files.map(({ path }) => path);

  expect(paths).toContain(".oxlintrc.json");
  expect(paths).toContain("scripts/start");
  expect(written.length).toBeGreaterThan(sources.length);
  expect(sources.length).toBeGreaterThan(20);
});

test("methods have at most 5 lines of body, functions at most 40, or 60 where listed", () => {
  expect(sources.flatMap((file) => longFunctions(file, LONG_FUNCTIONS))).toEqual([]);
});

test("every listed function exists and still needs to be listed", () => {
  const unlisted = sources.flatMap((file) => longFunctions(file, {}));

  const stale = Object.keys(LONG_FUNCTIONS).filter((listed) => {
    const [path = "", name = ""] = listed.split(" ");
    return !unlisted.some((found) => found.startsWith(path) && found.includes(` ${name} has `));
  });

  expect(stale).toEqual([]);
});

test("imports point inwards only", () => {
  expect(sources.flatMap(outwardImports)).toEqual([]);
});

test("files have no import cycles", () => {
  expect(fileCycles(files)).toEqual([]);
});

test("folders have no import cycles", () => {
  expect(folderCycles(files)).toEqual([]);
});

test("folders of application/ import only the folders before them", () => {
  expect(sources.flatMap(applicationDisorder)).toEqual([]);
});

test.each([
  { name: "lines have at most 100 columns", rule: longLines },
  { name: "files have at most 300 lines", rule: longFile },
  { name: "an interface of a port has fewer than 40 lines", rule: longPort },
  { name: "no file has a meaningless name", rule: forbiddenName },
  { name: "no work is unfinished", rule: unfinishedWork },
  { name: "no lint rule is disabled in code without a reason", rule: rulesOffWithoutReason },
])("$name", ({ rule }) => {
  expect(written.flatMap(rule)).toEqual([]);
});

test("no timer has a delay of which the runtime would warn in plain text", () => {
  // Browsers take a negative delay without a word.
  const outside = sources.filter(({ path }) => !path.startsWith("src/page/"));

  expect(outside.flatMap(unsafeTimers)).toEqual([]);
});

test("no test is skipped", () => {
  const tests = written.filter(({ path }) => path.startsWith("test/"));

  expect(tests.flatMap(testsThatDoNotRun)).toEqual([]);
});

test("no test has a time limit of its own", () => {
  const tests = written.filter(({ path }) => path.endsWith(".test.ts"));

  expect(tests.flatMap(timeLimitsOfTests)).toEqual([]);
});

test("no lint rule is disabled for all code without a reason", () => {
  const settings = files.filter(({ path }) => path === ".oxlintrc.json");

  expect(settings).toHaveLength(1);
  expect(settings.flatMap(settingsOffWithoutReason)).toEqual([]);
});

test("no file names a folder of one machine or the host of a registry", () => {
  expect(files.flatMap(placesOfOneMachine)).toEqual([]);
});

test("every test mirrors the path of a source", () => {
  expect(testsWithoutCounterpart(files)).toEqual([]);
});

test("every file with code is loaded by a test", () => {
  // main.ts runs in a process of its own: the smoke test and the integration tests run it.
  // Chromium runs the page in test/integration/page.test.ts; only its model runs without a browser.
  const elsewhere = /^src\/(main\.ts|page\/(?!model\/)[\w/-]+\.tsx?) /;
  const unloaded = sourcesNoTestLoads(files).filter((found) => !elsewhere.test(found));

  expect(unloaded).toEqual([]);
});

test("the map lists every folder of src/", () => {
  const maps = files.filter(({ path }) => path === "src/README.md");

  expect(maps).toHaveLength(1);
  expect(maps.flatMap((map) => treeFaults(map, files))).toEqual([]);
});

test("every file and every function that a page names exists", () => {
  const pages = files.filter(({ path }) => path.endsWith(".md") && !PAGES_OF_USERS.has(path));

  expect(pages.map(({ path }) => path)).toContain("src/README.md");
  expect(pages.flatMap((page) => deadNames(page, files))).toEqual([]);
});

test("every test that a page names by its title exists", () => {
  const pages = files.filter(({ path }) => path.endsWith(".md"));

  expect(pages.flatMap((page) => deadTitles(page, files))).toEqual([]);
});
