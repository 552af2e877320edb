import { join } from "node:path";

/** Adds the matchers to a test runner when a set-up file imports it, with their types. */
interface MatcherEntry {
  readonly subpath: string;
  readonly file: string;
  readonly code: string;
  readonly types: string;
  readonly declaration: string;
}

const METHODS = `{
    /** Waits for matching spans; with \`.not\`, checks those that have arrived. */
    toHaveSpan(conditions: SpanConditions, options?: WaitOptions): Promise<void>;
  }`;

const VITEST: MatcherEntry = {
  subpath: "./testing/vitest",
  file: "vitest.js",
  code: `import { expect } from "vitest";
import { spanringMatchers } from "./testing.js";

expect.extend(spanringMatchers);
`,
  types: "vitest.d.ts",
  declaration: `import "vitest";
import type { SpanConditions, WaitOptions } from "./testing.js";

declare module "vitest" {
  interface Matchers<T = any> ${METHODS}
}
`,
};

/** Jest loads CommonJS without flags, and defines `expect` for files in `setupFilesAfterEnv`. */
const JEST: MatcherEntry = {
  subpath: "./testing/jest",
  file: "jest.cjs",
  code: `const { spanringMatchers } = require("./testing.cjs");

expect.extend(spanringMatchers);
`,
  types: "jest.d.cts",
  declaration: `import "expect";
import type { SpanConditions, WaitOptions } from "./testing.cjs";

declare module "expect" {
  interface Matchers<R extends void | Promise<void>, T = unknown> ${METHODS}
}

declare global {
  namespace jest {
    interface Matchers<R, T = {}> ${METHODS}
  }
}
`,
};

const ENTRIES = [VITEST, JEST];

/** The rows of `exports` in the manifest of the package. */
export const MATCHER_EXPORTS = Object.fromEntries(
  ENTRIES.map(({ subpath, file, types }) => [
    subpath,
    { types: `./${types}`, default: `./${file}` },
  ]),
);

export async function writeMatcherEntries(folder: string): Promise<void> {
  for (const { file, code, types, declaration } of ENTRIES) {
    await Bun.write(join(folder, file), code);
    await Bun.write(join(folder, types), declaration);
  }
}
