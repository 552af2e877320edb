import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: unforeseen errors do not end the program, and standard error contains only JSON.
// Method: code that the runtime preloads behaves like a faulty program.

const FAULTS = `
  const failOnceHandled = () => {
    if (process.listenerCount("unhandledRejection") === 0) return setImmediate(failOnceHandled);
    setTimeout(() => {}, -5);
    process.emitWarning("old", "DeprecationWarning");
    Promise.reject(new Error("rejected"));
    queueMicrotask(() => { throw new Error("thrown"); });
  };
  setImmediate(failOnceHandled);
`;

test("warnings and errors are logged, and the program continues", async () => {
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
