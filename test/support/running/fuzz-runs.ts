/**
 * How often a random test runs: `shortRuns`, or as many times more as SPANRING_FUZZ_FACTOR says.
 *
 *     SPANRING_FUZZ_FACTOR=100 bun test test/domain test/application
 */
export function fuzzRuns(shortRuns: number): number {
  return shortRuns * Number(process.env["SPANRING_FUZZ_FACTOR"] ?? 1);
}

/** The time limit of every test: only one that hangs is stopped, on a machine however busy. */
export const TEST_TIMEOUT_MS = fuzzRuns(600_000);
