import { expect, test } from "bun:test";
import { longFunctions } from "./support/tidy/function-length.ts";
import { applicationDisorder, fileCycles, folderCycles } from "./support/tidy/import-order.ts";
import { outwardImports } from "./support/tidy/layers.ts";
import { sourcesNoTestLoads, testsWithoutCounterpart } from "./support/tidy/mirror.ts";
import type { RepositoryFile } from "./support/tidy/repository-files.ts";
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

// Goal: every rule can find a violation. Method: each rule is applied to a violation and to
// something similar that is allowed.

function file(path: string, text: string): RepositoryFile {
  return { path, text };
}

/** Returns this many statements, one per line. */
function statements(count: number): string {
  return Array.from({ length: count }, (_, at) => `    use(${at});\n`).join("");
}

function functionOf(lines: number): RepositoryFile {
  return file("src/a.ts", `const a = () => {\n${statements(lines)}};`);
}

test.each([
  { name: "a method", text: `class A {\n  a() {\n${statements(6)}  }\n}` },
  { name: "a private method", text: `class A {\n  #a() {\n${statements(6)}  }\n}` },
  { name: "a static method", text: `class A {\n  static a() {\n${statements(6)}  }\n}` },
  { name: "a constructor", text: `class A {\n  constructor() {\n${statements(6)}  }\n}` },
  { name: "a getter", text: `class A {\n  get a() {\n${statements(6)}  }\n}` },
  { name: "a setter", text: `class A {\n  set a(b) {\n${statements(6)}  }\n}` },
  { name: "a static block", text: `class A {\n  static {\n${statements(6)}  }\n}` },
  { name: "an arrow in a property", text: `class A {\n  a = () => {\n${statements(6)}  };\n}` },
  {
    name: "a function in a property",
    text: `class A {\n  a = function () {\n${statements(6)}};\n}`,
  },
  { name: "a method of a nameless class", text: `use(class {\n  a() {\n${statements(6)}  }\n});` },
  { name: "one expression", text: "class A {\n  a = () => [\n1,\n2,\n3,\n4,\n];\n}" },
])("six lines are too long for $name", ({ text }) => {
  const found = longFunctions(file("src/a.ts", text), {});

  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^src\/a\.ts:\d+ .* has 6 lines of body, not 5$/);
});

test.each([
  { name: "a method of five lines", text: `class A {\n  a() {\n${statements(5)}  }\n}` },
  {
    name: "a method of five lines with blank lines and comments",
    text: `class A {\n  a() {\n\n// why\n/* why\n\nnot */\n${statements(5)}  }\n}`,
  },
  { name: "a function of forty lines", text: `function a() {\n${statements(40)}}` },
  { name: "a method of an object", text: `const a = {\n  b() {\n${statements(40)}  },\n};` },
  { name: "a method that is only declared", text: "declare class A {\n  a(): void;\n}" },
])("$name may be that long", ({ text }) => {
  expect(longFunctions(file("src/a.ts", text), {})).toEqual([]);
});

test("a listed function may have sixty lines, and no more", () => {
  const listed = { "src/a.ts a": "the reason" };

  expect(longFunctions(functionOf(41), {})).toEqual(["src/a.ts:1 a has 41 lines of body, not 40"]);
  expect(longFunctions(functionOf(60), listed)).toEqual([]);
  expect(longFunctions(functionOf(61), listed)).toHaveLength(1);
});

test.each([
  ["src/domain/a.ts", 'import { b } from "../ports/b.ts";'],
  ["src/domain/a.ts", 'import type { b } from "../ports/b.ts";'],
  ["src/domain/wire/a.ts", 'export { b } from "../../application/b.ts";'],
  ["src/domain/a.ts", 'export * from "../application/b.ts";'],
  ["src/domain/a.ts", 'await import("../adapters/read-api/b.ts");'],
  ["src/domain/a.ts", 'import "../adapters/read-api/b.ts";'],
  ["src/domain/a.ts", 'import { readFileSync } from "node:fs";'],
  ["src/domain/a.ts", 'import { pino } from "pino";'],
  ["src/ports/a.ts", 'import type { B } from "../application/b.ts";'],
  ["src/application/a.ts", 'import { b } from "../adapters/otlp/b.ts";'],
  ["src/application/a.ts", 'import { file } from "bun";'],
  ["src/application/a.ts", 'import type { Config } from "../config/config.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "../read-api/b.ts";'],
  ["src/adapters/otlp/a.ts", 'import { b } from "../otlp-grpc/b.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "../otlp/generated/b.js";'],
  ["src/adapters/forward/a.ts", 'import type { B } from "../otlp-files/inner/b.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { readConfig } from "../../config/config.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { VARIABLES } from "../../config/variables.ts";'],
  ["src/adapters/cli/a.ts", 'import "../../main.ts";'],
  ["src/config/config.ts", 'import type { B } from "../ports/b.ts";'],
  ["src/page/a.tsx", 'import type { B } from "../adapters/api-messages/b.ts";'],
  ["src/page/a.ts", 'import { b } from "node:fs";'],
  ["src/page/a.tsx", 'import { b } from "preacto";'],
  ["src/server/a.ts", 'import { b } from "../page/model/b.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "../../../test/support/b.ts";'],
])("%s may not contain %s", (path, text) => {
  expect(outwardImports(file(path, text))).toHaveLength(1);
});

test.each([
  ["src/domain/wire/a.ts", 'import { b } from "../b.ts";'],
  ["src/ports/a.ts", 'import type { B } from "../domain/b.ts";'],
  ["src/application/a.ts", 'import type { B } from "../ports/b.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "../otlp/b.ts";'],
  ["src/adapters/forward/a.ts", 'import { b } from "../otlp-files/b.ts";'],
  ["src/adapters/read-api/a.ts", 'import { b } from "../otlp/json/b.ts";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "./generated/b.js";'],
  ["src/adapters/otlp-grpc/a.ts", 'import { b } from "@grpc/grpc-js";'],
  ["src/adapters/otlp-grpc/a.ts", 'import type { Config } from "../../config/config.ts";'],
  ["src/adapters/cli/a.ts", 'import { readConfig } from "../../config/config.ts";'],
  ["src/config/config.ts", 'import { b } from "./variables.ts";'],
  ["src/config/config.ts", 'import { b } from "../domain/b.ts";'],
  ["src/server/parts.ts", 'import { b } from "../adapters/otlp-grpc/b.ts";'],
  ["src/main.ts", 'import packageJson from "../package.json";'],
  ["src/page/trace/a.tsx", 'import { b } from "../model/b.ts";'],
  ["src/page/trace/a.tsx", 'import { b } from "preact/hooks";'],
])("%s may contain %s", (path, text) => {
  expect(outwardImports(file(path, text))).toEqual([]);
});

const CIRCLE = [
  file("src/config/a.ts", 'import { b } from "./b.ts";'),
  file("src/config/b.ts", 'export type { C } from "../domain/c.ts";'),
  file("src/domain/c.ts", 'import type { A } from "../config/a.ts";'),
];

test("import cycles between files are found, types included", () => {
  const found = ["src/config/a.ts, src/config/b.ts, src/domain/c.ts import each other in a circle"];

  expect(fileCycles(CIRCLE)).toEqual(found);
});

test("import cycles between folders are found, even without cycles between files", () => {
  const [a, b, c] = CIRCLE as [RepositoryFile, RepositoryFile, RepositoryFile];
  const d = file("src/config/d.ts", "export type D = 1;");
  const files = [a, b, d, file(c.path, 'import type { D } from "../config/d.ts";')];

  expect(fileCycles(files)).toEqual([]);
  expect(folderCycles(files)).toEqual(["src/config, src/domain import each other in a circle"]);
});

test("imports in one direction are not a cycle", () => {
  const files = [...CIRCLE.slice(0, 2), file("src/domain/c.ts", "export type C = 1;")];

  expect(fileCycles(files)).toEqual([]);
  expect(folderCycles(files)).toEqual([]);
});

test.each([
  ["src/application/ring/a.ts", 'import { b } from "../querying/b.ts";'],
  ["src/application/querying/a.ts", 'import type { B } from "../arrivals/b.ts";'],
  ["src/application/receiving/a.ts", 'import { b } from "../forwarding/b.ts";'],
  ["src/application/waiting/a.ts", 'export { b } from "../shutdown/b.ts";'],
  ["src/application/a.ts", "export const a = 1;"],
  ["src/application/spare/a.ts", "export const a = 1;"],
])("the order inside application/ forbids %s to contain %s", (path, text) => {
  expect(applicationDisorder(file(path, text))).toHaveLength(1);
});

test.each([
  ["src/application/ring/a.ts", 'import { b } from "./b.ts";'],
  ["src/application/ring/a.ts", 'import { b } from "../../domain/wire/b.ts";'],
  ["src/application/arrivals/a.ts", 'import { b } from "../ring/b.ts";'],
  ["src/application/waiting/a.ts", 'import { b } from "../querying/b.ts";'],
  ["src/application/forwarding/a.ts", 'import { b } from "../shutdown/b.ts";'],
  ["src/adapters/otlp/a.ts", 'import { b } from "../../application/forwarding/b.ts";'],
])("the order inside application/ allows %s to contain %s", (path, text) => {
  expect(applicationDisorder(file(path, text))).toEqual([]);
});

test.each([
  { rule: longLines, bad: file("src/a.ts", "x".repeat(101)), good: file("a.ts", "é".repeat(100)) },
  { rule: longFile, bad: file("src/a.ts", "\n".repeat(300) + "a"), good: file("src/a.ts", "a\n") },
  {
    rule: longPort,
    bad: file("src/ports/a.ts", `export interface A {\n${"a\n".repeat(38)}}\n`),
    good: file("src/ports/a.ts", `export interface A {\n${"a\n".repeat(37)}}\n`),
  },
  { rule: forbiddenName, bad: file("src/utils.ts", ""), good: file("src/span-index.ts", "") },
  { rule: forbiddenName, bad: file("src/common/a.ts", ""), good: file("src/commons.ts", "") },
  { rule: forbiddenName, bad: file("test/index.test.ts", ""), good: file("src/types-of.ts", "") },
  {
    rule: unfinishedWork,
    bad: file("src/a.ts", `// ${"TO"}${"DO"}: later`),
    good: file("src/a.ts", "// todos are a kind of span"),
  },
  {
    rule: testsThatDoNotRun,
    bad: file("test/a.test.ts", `test${".skip"}("a", () => {});`),
    good: file("test/a.test.ts", 'test.each(a)("skip", () => {});'),
  },
  {
    rule: testsThatDoNotRun,
    bad: file("test/a.test.ts", `describe.each(a)${".only"}("a", () => {});`),
    good: file("test/a.test.ts", "attest.only();"),
  },
  ...[
    `set${"DefaultTimeout"}(30_000);`,
    `test("a", () => {\n  a();\n${"}"}, 5_000);`,
    `test("a", () => {\n${"}"}, { timeout: 5 });`,
    `test(\n  "a",\n  () => {\n  ${"}"},\n  A_TIMEOUT,\n);`,
  ].map((text) => ({
    rule: timeLimitsOfTests,
    bad: file("test/a.test.ts", text),
    good: file("test/a.test.ts", 'test("a", () => {\n  a({ timeoutMs: 5 });\n});'),
  })),
  {
    rule: placesOfOneMachine,
    bad: file("README.md", `cd ${"/ho"}${"me/ann/spanring"}`),
    good: file("README.md", "the pages /workers and ./home/x, https://example.com/home/x"),
  },
  {
    rule: placesOfOneMachine,
    bad: file("bun.lock", `https://regi${"stry.npmjs"}.org/a`),
    good: file("bun.lock", '"a@1.0.0", "registry"'),
  },
  {
    rule: rulesOffWithoutReason,
    bad: file("src/a.ts", `// ox${"lint-disable"}-next-line no-console`),
    good: file("src/a.ts", `// ox${"lint-disable"}-next-line no-console -- it is a console`),
  },
  {
    rule: settingsOffWithoutReason,
    bad: file(".oxlintrc.json", '{\n"no-console": "off",\n}'),
    good: file(".oxlintrc.json", '{\n// It is a console.\n"no-console": "off",\n}'),
  },
  {
    rule: settingsOffWithoutReason,
    bad: file(".oxlintrc.json", '{\n"max-params": ["off", 3],\n}'),
    good: file(".oxlintrc.json", '{\n"max-params": ["error", 3],\n}'),
  },
])("$rule.name rejects $bad.path and accepts $good.path", ({ rule, bad, good }) => {
  expect(rule(bad)).toHaveLength(1);
  expect(rule(good)).toEqual([]);
});

test("a test that mirrors nothing is found", () => {
  const files = [
    file("src/a.ts", ""),
    file("src/adapters/otlp-grpc/b.ts", ""),
    file("test/a.test.ts", ""),
    file("test/adapters/otlp-grpc/any-claim.test.ts", ""),
    file("test/integration/c.test.ts", ""),
    file("test/b.test.ts", ""),
    file("test/adapters/amqp/b.test.ts", ""),
  ];

  expect(testsWithoutCounterpart(files)).toEqual([
    "test/b.test.ts mirrors nothing in src/",
    "test/adapters/amqp/b.test.ts mirrors nothing in src/",
  ]);
});

test("code that no test loads is found, and types need no test", () => {
  const files = [
    file(
      "test/a.test.ts",
      'import { a } from "../src/a.ts"; import type { d } from "../src/d.ts";',
    ),
    file("src/a.ts", 'import { b } from "./b.ts";\nexport const a = b;'),
    file("src/b.ts", "export const b = 1;"),
    file("src/c.ts", "export const c = 1;"),
    file("src/d.ts", "export const d = 1;"),
    file("src/e.ts", "export interface E {}"),
  ];

  expect(sourcesNoTestLoads(files)).toEqual([
    "src/c.ts is loaded by no test",
    "src/d.ts is loaded by no test",
  ]);
});

test.each([
  { text: "setTimeout(stop, graceMs);", delay: "graceMs" },
  { text: "const t = setInterval(() => {\n  tick();\n}, end - now());", delay: "end - now()" },
  { text: "await sleep(durationMs, undefined, { signal });", delay: "durationMs" },
])("a timer that may be negative is found: $delay", ({ text, delay }) => {
  expect(unsafeTimers(file("src/a.ts", text))).toEqual([
    expect.stringMatching(new RegExp(`^src/a\\.ts:1 .* waits for ${RegExp.escape(delay)}$`)),
  ]);
});

test.each([
  "setTimeout(stop, timerMs(end - now()));",
  "setInterval(tick, TICK_MS);",
  "await sleep(timerMs(durationMs), undefined, { signal });",
  "clock.sleep(durationMs, signal);",
])("a timer that cannot be negative is accepted: %s", (text) => {
  expect(unsafeTimers(file("src/a.ts", text))).toEqual([]);
});
