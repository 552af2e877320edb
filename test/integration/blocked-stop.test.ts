import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requestOf } from "../support/requests/request-bytes.ts";
import { dataDirectory } from "../support/running/data-directory.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { sendHalf } from "../support/running/half-sent-call.ts";
import { startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a stop whose event loop is blocked ends the program, and loses no span that the log has.
// Method: code that the runtime preloads blocks the loop as soon as the stop has begun.

const folder = temporaryFolder();

/** Returns the variables of a program whose stop is blocked, for ever by default. */
function blockedFor(durationMs = Number.POSITIVE_INFINITY) {
  const path = join(folder, `block-${durationMs}.js`);
  writeFileSync(
    path,
    `const block = () => {
       const startMs = performance.now();
       while (performance.now() - startMs < ${durationMs});
     };
     process.on("SIGTERM", () => setImmediate(block));`,
  );
  return { BUN_OPTIONS: `--preload=${path}`, SHUTDOWN_GRACE_MS: "100" };
}

/** A call in flight keeps the stop from ending before the loop is blocked. */
async function stopBlocked(env: Readonly<Record<string, string>>) {
  await using program = await startProgram(env);
  await exportOverHttp(program.httpUrl, requestOf(3));
  using call = await sendHalf(program.grpcPort, requestOf(1));
  const exitCode = await program.stop();
  await call.closed;
  return { exitCode, last: program.log().at(-1) };
}

test("a blocked stop ends with a line that says what is lost", async () => {
  const { exitCode, last } = await stopBlocked(blockedFor());

  expect(exitCode).toBe(1);
  expect(last).toMatchObject({ level: "ERROR", event: "stop_overdue", grace_ms: 100 });
  expect(last?.["hint"]).toContain("spans are lost");
});

test("after a blocked stop, the next start finds every acknowledged span", async () => {
  const { path: DATA_DIR } = dataDirectory(folder);

  const { exitCode, last } = await stopBlocked({ ...blockedFor(), DATA_DIR });
  await using second = await startProgram({ DATA_DIR });

  expect([exitCode, last?.event]).toEqual([1, "stop_overdue"]);
  expect(second.log().find(({ event }) => event === "recovered")).toMatchObject({ spans: 3 });
});

test("at level `stop`, a blocked stop goes on until the spans are written", async () => {
  const { path: DATA_DIR } = dataDirectory(folder);
  const env = { ...blockedFor(1_500), DATA_DIR, DURABILITY: "stop" };

  const { exitCode, last } = await stopBlocked(env);

  expect([exitCode, last?.event]).toEqual([0, "stopped"]);
});
