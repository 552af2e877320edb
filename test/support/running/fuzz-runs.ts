/**
 * Returns the number of runs of a random test: `shortRuns` times SPANRING_FUZZ_FACTOR.
 *
 *     SPANRING_FUZZ_FACTOR=100 bun test test/domain test/application
 */
export function fuzzRuns(shortRuns: number): number {
  return shortRuns * Number(process.env["SPANRING_FUZZ_FACTOR"] ?? 1);
}

/** The time limit of every test. Only a test that hangs exceeds it, even on a busy machine. */
export const TEST_TIMEOUT_MS = fuzzRuns(600_000);
