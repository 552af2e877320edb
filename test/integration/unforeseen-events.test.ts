import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: what nobody foresaw ends nothing, and standard error carries JSON only.
// Method: code that the runtime loads beside the program does what a fault in it would do.

const FAULTS = `
  const failOnceHeard = () => {
    if (process.listenerCount("unhandledRejection") === 0) return setImmediate(failOnceHeard);
    setTimeout(() => {}, -5);
    process.emitWarning("old", "DeprecationWarning");
    Promise.reject(new Error("rejected"));
    queueMicrotask(() => { throw new Error("thrown"); });
  };
  setImmediate(failOnceHeard);
`;

test("warnings and faults are lines of the log, and it goes on", async () => {
  const path = join(temporaryFolder(), "faults.js");
  writeFileSync(path, FAULTS);
  await using program = await startProgram({ BUN_OPTIONS: `--preload=${path}` });

  await Promise.all([program.logged("runtime_warning"), program.logged("unexpected_error")]);
  await exportOverHttp(program.httpUrl, requestOf(3));
  const exitCode = await program.stop();

  const log = program.log();
  const timesOf = (wanted: string) =>
    log.reduce((sum, { event, count }) => (event === wanted ? sum + Number(count) : sum), 0);
  expect(exitCode).toBe(0);
  expect(log.filter(({ event }) => event === "not JSON")).toEqual([]);
  expect([timesOf("runtime_warning"), timesOf("unexpected_error")]).toEqual([2, 2]);
  expect(log.at(-1)).toMatchObject({ event: "stopped", spans: { buffered: 3 } });
});
