/**
 * How often a random test runs: `shortRuns`, or as many times more as SPANRING_FUZZ_FACTOR says.
 *
 *     SPANRING_FUZZ_FACTOR=100 bun test test/domain test/application
 */
export function fuzzRuns(shortRuns: number): number {
  return shortRuns * Number(process.env["SPANRING_FUZZ_FACTOR"] ?? 1);
}

/** Ample for the slowest of them, so that only one that hangs is stopped. */
export const FUZZ_TIMEOUT_MS = fuzzRuns(30_000);
