import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { logRecovery, logWatcher } from "../../src/server/log-recovery.ts";
import { CannotStartError } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  ALL,
  dataDirectory,
  filledDirectory,
  numbersOf,
  send,
} from "../support/running/data-directory.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const folder = temporaryFolder();

async function failedStart(env: Record<string, string>): Promise<RecordingLogger> {
  const logger = new RecordingLogger();
  await expect(runServer(env, logger)).rejects.toThrow(CannotStartError);
  return logger;
}

describe("a start", () => {
  test("fails while another server uses the directory, which goes on", async () => {
    const { path } = dataDirectory(folder);
    const first = await runServer({ DATA_DIR: path });

    const logger = await failedStart({ DATA_DIR: path });
    await send(first, requestOf(2));
    const found = numbersOf(first);
    await first.stop(0);

    expect(found).toEqual([1, 2]);
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "cannot_open_log",
      fields: {
        directory: path,
        reason: "another process uses it",
        hint: "stop it, or set DATA_DIR to another directory",
      },
    });
  });

  test("fails with files of another format, which stay as they are", async () => {
    const { path, segments } = await filledDirectory(folder);
    const foreign = join(path, "spans-000000000099-00000000.v2");
    writeFileSync(foreign, "from the future");
    const before = segments();

    const logger = await failedStart({ DATA_DIR: path });

    expect(logger.lines).toContainEqual({
      level: "error",
      event: "cannot_open_log",
      fields: expect.objectContaining({ reason: expect.stringContaining("is in format 2") }),
    });
    expect(segments()).toEqual(before);
    expect(readFileSync(foreign, "utf8")).toBe("from the future");
  });

  test("fails if the directory cannot be one", async () => {
    const { path } = dataDirectory(folder);
    writeFileSync(path, "");

    const logger = await failedStart({ DATA_DIR: path });

    expect(logger.lines).toContainEqual({
      level: "error",
      event: "cannot_open_log",
      fields: expect.objectContaining({
        directory: path,
        hint: "set DATA_DIR to a directory in which this user may create files",
      }),
    });
  });

  test.each(["drop_oldest", "refuse"])(
    "with a smaller buffer restores every span under %s, and says what is in memory",
    async (policy) => {
      const { path } = await filledDirectory(folder);
      const logger = new RecordingLogger();
      const env = { DATA_DIR: path, MAX_BUFFER_SIZE: "5", OVERFLOW_POLICY: policy };

      const server = await runServer(env, logger);
      const inMemory = numbersOf(server);
      const { spans, spilled } = server.buffer.stats();
      await server.stop(0);
      const larger = await runServer({ DATA_DIR: path });
      const found = numbersOf(larger);
      await larger.stop(0);

      expect(inMemory).toEqual(ALL.slice(7));
      expect(spans).toEqual(ledgerOf({ received: 12, accepted: 12, buffered: 12 }));
      expect(spilled?.spans).toBe(7);
      expect(found).toEqual(ALL);
      expect(logger.lines).toContainEqual({
        level: "info",
        event: "larger_than_memory",
        fields: expect.objectContaining({ spans: 12, on_disk_spans: 7 }),
      });
    },
  );

  test.each<{ damage: string; apply: (file: string) => void; left: number[] }>([
    {
      damage: "a truncated file",
      apply: (file: string) => truncateSync(file, statSync(file).size - 300),
      left: ALL.slice(0, 8),
    },
    {
      damage: "a flipped bit",
      apply: (file: string) => {
        const bytes = readFileSync(file);
        bytes[Math.floor(bytes.length / 2)]! ^= 4;
        writeFileSync(file, bytes);
      },
      left: [1, 2, 3, 4, 9, 10, 11, 12],
    },
  ])("after $damage serves everything else, and reports the loss", async ({ apply, left }) => {
    const { path, segments } = await filledDirectory(folder);
    apply(segments()[0]!);
    const logger = new RecordingLogger();

    const server = await runServer({ DATA_DIR: path }, logger);
    const found = numbersOf(server);
    await send(server, requestOf(1, 77));
    const more = numbersOf(server);
    await server.stop(0);

    expect(found).toEqual(left);
    expect(more).toEqual([...left, 77]);
    const events = logger.lines.map(({ event }) => event);
    expect(events).toContain("recovered");
  });

  test("after a segment was deleted reports its spans as lost", async () => {
    const { path, segments } = dataDirectory(folder);
    const first = await runServer({ DATA_DIR: path });
    await send(first, requestOf(4));
    await first.stop(0);
    const [oldest] = segments();
    const second = await runServer({ DATA_DIR: path });
    await send(second, requestOf(3, 5));
    await second.stop(0);
    rmSync(oldest!);
    const logger = new RecordingLogger();

    const server = await runServer({ DATA_DIR: path }, logger);
    const found = numbersOf(server);
    await server.stop(0);

    expect(found).toEqual([5, 6, 7]);
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "spans_lost",
      fields: expect.objectContaining({ spans: 4, missing_segments: 1, damaged_places: 0 }),
    });
  });
});

describe("the watcher of a log", () => {
  test("logs each event of the disk at its level, and passes losses on", () => {
    const logger = new RecordingLogger();
    const passedOn: unknown[] = [];
    const pass = (lost: unknown): void => void passedOn.push(lost);
    const buffer = { evict: pass, damaged: pass };
    const watcher = logWatcher({ logger, durability: "disk", diskFailure: "memory", buffer });
    const eviction = { first: 1, end: 9, spans: 7 };
    const damage = { segment: "spans-1", firstSequence: 1, lostSpans: 3, left: [] };

    watcher.diskFailed({ reason: "EIO", retryAfterMs: 250 });
    watcher.diskRecovered({ memoryOnlySpans: 0 });
    watcher.diskRecovered({ memoryOnlySpans: 3 });
    watcher.syncFailed({ segment: "spans-1", reason: "EIO" });
    watcher.evicted(eviction);
    watcher.damaged(damage);

    expect(passedOn).toEqual([eviction, damage]);
    expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([
      ["error", "disk_failed"],
      ["info", "disk_recovered"],
      ["info", "disk_recovered"],
      ["error", "sync_failed"],
      ["warning", "disk_full"],
      ["error", "log_damaged"],
    ]);
    expect(logger.lines[1]?.fields).toEqual({});
    expect(logger.lines.map(({ fields }) => fields)).toMatchObject([
      { reason: "EIO", retry_after_ms: 250 },
      {},
      { memory_only_spans: 3 },
      { segment: "spans-1", reason: "EIO" },
      { evicted_spans: 7, hint: "raise MAX_DISK_BYTES" },
      { segment: "spans-1", lost_spans: 3 },
    ]);
  });
});

test.each([
  { durability: "process", diskFailure: "refuse", effect: "requests are refused" },
  { durability: "stop", diskFailure: "refuse", effect: "a stop loses spans" },
  {
    durability: "disk",
    diskFailure: "memory",
    effect: "new spans are in memory only, and a crash or a stop loses them",
  },
] as const)(
  "at level $durability with DISK_FAILURE=$diskFailure, a failed disk means that $effect",
  ({ durability, diskFailure, effect }) => {
    const logger = new RecordingLogger();
    const watcher = logWatcher({ logger, durability, diskFailure, buffer: undefined });

    watcher.diskFailed({ reason: "EIO", retryAfterMs: 250 });

    const hint = `free space or replace the disk; until then, ${effect}`;
    expect(logger.lines).toMatchObject([{ event: "disk_failed", fields: { hint } }]);
  },
);

test("segments that a start cannot sync are logged, because a power cut may lose them", () => {
  const logger = new RecordingLogger();
  const nothing = { damage: [], torn: [], lostSpans: 0, missingSegments: [] };

  logRecovery(logger, {
    ...nothing,
    segments: 1,
    fileBytes: 5,
    restored: { spans: 1, bytes: 2 },
    unsynced: ["spans-1"],
  });

  expect(logger.lines.map(({ event }) => event)).toEqual(["recovered", "sync_failed"]);
});
