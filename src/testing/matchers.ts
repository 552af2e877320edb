import type { SpanringMatchers, TestSpanring } from "./test-spanring.ts";

/** Matchers for `expect.extend` of Vitest, Jest and `bun:test`. */
export const spanringMatchers: SpanringMatchers = {
  async toHaveSpan(ring, conditions, options) {
    const isNot = this.isNot === true;
    // Not thrown: bun:test hides the reason if a matcher rejects.
    if (!isRing(ring)) return { pass: isNot, message: () => NO_RING };
    const check = isNot ? ring.expectNone(conditions) : ring.waitFor(conditions, options);
    const failure = await check.then(() => undefined, messageOf);
    const hasFailed = failure !== undefined;
    // With `.not`, the test runner reports a failure if the matcher passes.
    return { pass: isNot === hasFailed, message: () => failure ?? "the expectation is met" };
  },
};

const NO_RING = "toHaveSpan needs a ring: expect(await startSpanring()).toHaveSpan(...)";

function isRing(value: unknown): value is TestSpanring {
  return typeof value === "object" && value !== null && "waitFor" in value && "expectNone" in value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
