import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  missingIn,
  numbersOf,
  post,
  type Sent,
  sendNext,
  spanNumbersOf,
} from "../support/running/counted-sender.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: no acknowledged span is lost when the program is killed, or when its disk fails.
// Method: clients note what is acknowledged, and compare it with what the next start has.

const root = temporaryFolder();
const LARGE = { MAX_BUFFER_SIZE: "100000" };
const SPANS = 5;
const LANES = 4;

/** Sends requests in several lanes until the program is killed, after some acknowledgements. */
async function sendUntilKilled(program: RunningProgram, sent: Sent, after: number): Promise<void> {
  const killAt = sent.acknowledged.length + after;
  const killed = Promise.withResolvers<void>();
  void killed.promise.then(() => process.kill(program.pid, "SIGKILL"));
  const lanes = Array.from({ length: LANES }, async () => {
    while ((await sendNext(program, sent, SPANS)) === 200) {
      if (sent.acknowledged.length >= killAt) killed.resolve();
    }
  });
  await Promise.all(lanes);
}

test.each(["disk", "process"])(
  "no acknowledged span is lost by kills under load, at level %s",
  async (level) => {
    const env = { ...LARGE, DATA_DIR: mkdtempSync(join(root, "kill-")), DURABILITY: level };
    const sent: Sent = { next: 1, acknowledged: [] };

    for (let cycle = 0; cycle < fuzzRuns(5); cycle += 1) {
      await using program = await startProgram(env);
      await sendUntilKilled(program, sent, 1 + ((cycle * 7) % 30));
      await program.exited;
      await using next = await startProgram(env);
      const found = await spanNumbersOf(next);
      await next.stop();

      expect(missingIn(found, sent, SPANS)).toEqual([]);
      expect(new Set(found).size).toBe(found.length);
      expect(Math.max(...found)).toBeLessThan(sent.next);
    }
  },
);

test("at level stop, kills under load lose only what arrived since the last start", async () => {
  const env = { ...LARGE, DATA_DIR: mkdtempSync(join(root, "kill-")), DURABILITY: "stop" };
  const sent: Sent = { next: 1, acknowledged: [] };
  let kept: readonly number[] = [];

  for (let cycle = 0; cycle < fuzzRuns(2); cycle += 1) {
    await using killed = await startProgram(env);
    await sendUntilKilled(killed, { ...sent, acknowledged: [] }, 1 + ((cycle * 7) % 30));
    await killed.exited;
    await using stopped = await startProgram(env);
    const found = await spanNumbersOf(stopped);
    await sendNext(stopped, sent, SPANS);
    await stopped.stop();

    expect(found).toEqual([...kept]);
    kept = [...found, ...numbersOf(sent, SPANS).slice(found.length)];
  }
  await using last = await startProgram(env);
  expect(await spanNumbersOf(last)).toEqual([...kept]);
});

/** Runs the program with files of at most 64 KiB; writes beyond it fail. */
const SMALL_FILES = ["sh", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh"];

/** Asks until requests are no longer refused; returns the readiness of that moment. */
async function readyAgain({ apiUrl }: RunningProgram): Promise<unknown> {
  for (;;) {
    const response = await fetch(`${apiUrl}/readyz`);
    if (response.ok) return await response.json();
    await response.body?.cancel();
  }
}

test("requests that the disk cannot take are refused, and nothing else is lost", async () => {
  const env = { ...LARGE, DATA_DIR: mkdtempSync(join(root, "full-")) };
  await using program = await startProgram(env, { launcher: SMALL_FILES });

  const small = await post(program, requestOf(3));
  const large = await post(program, requestOf(2_000, 100));
  const retryAfter = Number(large.headers.get("retry-after"));
  const failed = await program.logged("disk_failed");
  const ready = await readyAgain(program);
  const again = await post(program, requestOf(3, 4));
  await program.logged("disk_recovered");
  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const problem = await program.logged("problem");
  const found = await spanNumbersOf(program);
  await program.stop();
  await using next = await startProgram(env);
  const kept = await spanNumbersOf(next);

  expect([small.status, large.status, again.status]).toEqual([200, 503, 200]);
  expect(retryAfter).toBeGreaterThan(0);
  expect(failed).toMatchObject({ level: "ERROR", reason: expect.stringContaining("EFBIG") });
  const disk = { state: "failing", error: expect.stringContaining("EFBIG") };
  expect(ready).toEqual({ status: "ready", disk });
  expect(metrics).toContain("\nspanring_disk_failing 0\n");
  expect(problem).toMatchObject({ reason: "disk_failed", count: 1 });
  expect(found).toEqual([1, 2, 3, 4, 5, 6]);
  expect(kept).toEqual(found);
});

/** Returns a member of an answer of the read API. */
async function memberOf({ apiUrl }: RunningProgram, path: string, name: string): Promise<unknown> {
  const body = await (await fetch(`${apiUrl}${path}`)).json();
  return (body as Record<string, unknown>)[name];
}

test("with DISK_FAILURE=memory, requests go to memory until the disk works again", async () => {
  const directory = mkdtempSync(join(root, "memory-"));
  const env = { ...LARGE, DATA_DIR: directory, DISK_FAILURE: "memory" };
  await using program = await startProgram(env, { launcher: SMALL_FILES });

  const small = await post(program, requestOf(3));
  const large = await post(program, requestOf(2_000, 4));
  const failed = await program.logged("disk_failed");
  const ready = await memberOf(program, "/readyz", "disk");
  const during = await memberOf(program, "/api/stats", "disk");
  let last = 2_003;
  for (let isBack = false; !isBack; last += 1) {
    await post(program, requestOf(1, last + 1));
    isBack = program.log().some(({ event }) => event === "disk_recovered");
  }
  const recovered = await program.logged("disk_recovered");
  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const found = await spanNumbersOf(program);
  const exitCode = await program.stop();
  const lost = program.log().find(({ event }) => event === "lost");
  await using next = await startProgram(env);
  const kept = await spanNumbersOf(next);

  const inMemory = Number(recovered["memory_only_spans"]);
  expect([small.status, large.status]).toEqual([200, 200]);
  expect(failed["hint"]).toContain("in memory only");
  expect(ready).toEqual({ state: "memory_only", error: expect.stringContaining("EFBIG") });
  expect(during).toMatchObject({ state: "memory_only", only_in_memory: { spans: 2_000 } });
  expect(inMemory).toBeGreaterThanOrEqual(2_000);
  expect(metrics).toContain(`\nspanring_memory_only_spans ${inMemory}\n`);
  expect(metrics).toContain("\nspanring_disk_failing 0\n");
  expect(found).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  expect(exitCode).toBe(5);
  expect(lost).toMatchObject({ level: "ERROR", spans: inMemory });
  expect(kept).toEqual([1, 2, 3, ...found.slice(3 + inMemory)]);
});

test("the directory has only segments and the lock, readable by their owner only", async () => {
  const path = join(root, "new", "data");
  await using program = await startProgram({ DATA_DIR: path });
  await post(program, requestOf(3));

  expect(readdirSync(path).toSorted()).toEqual([
    "lock",
    expect.stringMatching(/^spans-000000000001-[0-9a-f]{8}\.v1$/),
  ]);
});
