import { expect, test } from "bun:test";
import { longFunctions } from "./support/tidy/function-length.ts";
import type { LongFunctions } from "./support/tidy/function-length.ts";
import { applicationDisorder, fileCycles, folderCycles } from "./support/tidy/import-order.ts";
import { outwardImports } from "./support/tidy/layers.ts";
import { sourcesNoTestLoads, testsWithoutCounterpart } from "./support/tidy/mirror.ts";
import { deadNames, treeFaults } from "./support/tidy/page-names.ts";
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

// Goal: the repository keeps to its own style, and each exception stands here with its reason.
// Method: every rule is a function from a file to sentences about it; `tidy-rules.test.ts` shows
// that each can find something.

const LONG_FUNCTIONS: LongFunctions = {
  "src/domain/wire/request-walk.ts walkMessages":
    "every field of every span passes through its one loop; in pieces, its locals would go " +
    "through memory each time",
};

/** These name files that users have; tests run what the README says. */
const PAGES_OF_USERS: ReadonlySet<string> = new Set(["README.md", "CHANGELOG.md"]);

const files = repositoryFiles();
const written = files.filter(isWritten);
const sources = files.filter(isSource);

test("the rules have something to look at", () => {
  const paths = files.map(({ path }) => path);

  expect(paths).toContain(".oxlintrc.json");
  expect(paths).toContain("scripts/start");
  expect(written.length).toBeGreaterThan(sources.length);
  expect(sources.length).toBeGreaterThan(20);
});

test("methods have at most 5 lines of body, functions at most 40, or 60 where listed", () => {
  expect(sources.flatMap((file) => longFunctions(file, LONG_FUNCTIONS))).toEqual([]);
});

test("every listed function is still there, and still needs to be listed", () => {
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

test("no files import each other in a circle", () => {
  expect(fileCycles(files)).toEqual([]);
});

test("no folders import each other in a circle", () => {
  expect(folderCycles(files)).toEqual([]);
});

test("folders of application/ import only those before them in their order", () => {
  expect(sources.flatMap(applicationDisorder)).toEqual([]);
});

test.each([
  { name: "lines have at most 100 columns", rule: longLines },
  { name: "files have at most 300 lines", rule: longFile },
  { name: "an interface of a port has fewer than 40 lines", rule: longPort },
  { name: "no file is named for everything and nothing", rule: forbiddenName },
  { name: "no work is left undone", rule: unfinishedWork },
  { name: "no lint rule is switched off in code without its reason", rule: rulesOffWithoutReason },
])("$name", ({ rule }) => {
  expect(written.flatMap(rule)).toEqual([]);
});

test("no timer gets a delay that the runtime would warn of in plain text", () => {
  expect(sources.flatMap(unsafeTimers)).toEqual([]);
});

test("every test runs, always", () => {
  const tests = written.filter(({ path }) => path.startsWith("test/"));

  expect(tests.flatMap(testsThatDoNotRun)).toEqual([]);
});

test("no test has a time limit of its own", () => {
  const tests = written.filter(({ path }) => path.endsWith(".test.ts"));

  expect(tests.flatMap(timeLimitsOfTests)).toEqual([]);
});

test("no lint rule is switched off for all code without its reason", () => {
  const settings = files.filter(({ path }) => path === ".oxlintrc.json");

  expect(settings).toHaveLength(1);
  expect(settings.flatMap(settingsOffWithoutReason)).toEqual([]);
});

test("no file names a folder of one machine or the host of a registry", () => {
  expect(files.flatMap(placesOfOneMachine)).toEqual([]);
});

test("every test stands where the thing it tests stands", () => {
  expect(testsWithoutCounterpart(files)).toEqual([]);
});

test("every file with code in it is loaded by a test, so that coverage counts it", () => {
  // main.ts runs in a process of its own: the smoke test and the integration tests run it.
  const unloaded = sourcesNoTestLoads(files).filter((found) => !found.startsWith("src/main.ts "));

  expect(unloaded).toEqual([]);
});

test("the map draws every folder of src/", () => {
  const maps = files.filter(({ path }) => path === "src/README.md");

  expect(maps).toHaveLength(1);
  expect(maps.flatMap((map) => treeFaults(map, files))).toEqual([]);
});

test("every file and every function that a page names is there", () => {
  const pages = files.filter(({ path }) => path.endsWith(".md") && !PAGES_OF_USERS.has(path));

  expect(pages.map(({ path }) => path)).toContain("src/README.md");
  expect(pages.flatMap((page) => deadNames(page, files))).toEqual([]);
});
