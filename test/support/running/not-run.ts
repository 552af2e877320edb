import { appendFileSync } from "node:fs";

/**
 * Says on standard error that tests do not run, and why. `scripts/test` counts them as skipped: it
 * names a file for that.
 */
export function notRun(count: number, reason: string): void {
  process.stderr.write(`${count} test${count === 1 ? "" : "s"} not run: ${reason}\n`);
  const { SPANRING_NOT_RUN: tally } = process.env;
  if (tally !== undefined) appendFileSync(tally, `${count}\n`);
}
