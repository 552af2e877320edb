import { describe, expect, test } from "bun:test";
import { rmSync, truncateSync } from "node:fs";
import { readConfig } from "../../src/config/config.ts";
import { buildParts } from "../../src/server/parts.ts";
import { withoutStoring } from "../../src/server/store-at-stop.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { balances } from "../support/oracles/watched-ledger.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  type DataDirectory,
  dataDirectory,
  numbersOf,
  send,
} from "../support/running/data-directory.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const LARGE = { MAX_BUFFER_SIZE: "100000" };

function stopLevel() {
  const directory = dataDirectory(folder);
  return { ...directory, env: { DATA_DIR: directory.path, DURABILITY: "stop" } };
}

describe("a server at level stop", () => {
  test("writes spans at the stop only, and the next start restores and counts them", async () => {
    const { env, segments } = stopLevel();
    const logger = new RecordingLogger();
    const server = await runServer(env, logger);
    const [empty] = segments().map((each) => Bun.file(each).size);

    await send(server, requestOf(4), requestOf(3, 5));
    const during = segments().map((each) => Bun.file(each).size);
    await server.stop(0);
    const next = await runServer(env);
    const found = numbersOf(next);
    const { spans } = next.buffer.stats();
    await next.stop(0);

    expect(during).toEqual([empty!]);
    expect(found).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(spans).toMatchObject({ received: 7, accepted: 7, buffered: 7 });
    expect(server.hasLostSpans()).toBe(false);
    expect(logger.lines).toContainEqual({
      level: "info",
      event: "kept",
      fields: { spans: 7, directory: env.DATA_DIR },
    });
  });

  test("keeps what it could not forward, and forwards the oldest first after that", async () => {
    const { env } = stopLevel();
    const server = await runServer({ ...env, FORWARD_ENDPOINT: "http://127.0.0.1:1" });
    await send(server, requestOf(4));

    await server.stop(1);
    const next = await runServer(env);
    await send(next, requestOf(2, 5));
    const { sequences } = next.buffer.peek(100);
    await next.stop(0);

    expect(sequences).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("loses what MAX_DISK_BYTES does not allow, and says so", async () => {
    const { env } = stopLevel();
    const logger = new RecordingLogger();
    const server = await runServer({ ...env, ...LARGE, MAX_DISK_BYTES: "1MiB" }, logger);
    for (let first = 1; first < 30_000; first += 1_000) await send(server, requestOf(1_000, first));

    await server.stop(0);
    const { spans, bytes } = server.buffer.stats();
    const next = await runServer({ ...env, ...LARGE });
    const restored = next.buffer.stats().spans.received;
    await next.stop(0);

    expect(server.hasLostSpans()).toBe(true);
    expect([balances(spans), balances(bytes)]).toEqual([true, true]);
    expect(spans).toMatchObject({ received: 30_000, buffered: restored });
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "lost",
      fields: {
        spans: 30_000 - restored,
        directory: env.DATA_DIR,
        hint: "raise MAX_DISK_BYTES, or set DATA_DIR to another directory",
      },
    });
  });

  test("loses all its spans if the directory is gone, and says so", async () => {
    const { env, path } = stopLevel();
    const logger = new RecordingLogger();
    const server = await runServer({ ...env, ...LARGE, MAX_DISK_BYTES: "1MiB" }, logger);
    await send(server, requestOf(2_000));
    await server.stop(0);
    const again = await runServer({ ...env, ...LARGE, MAX_DISK_BYTES: "1MiB" }, logger);
    await send(again, requestOf(2_000));
    rmSync(path, { recursive: true });

    await again.stop(0);

    expect(again.hasLostSpans()).toBe(true);
    expect(logger.lines.map(({ event }) => event)).toContain("disk_failed");
    expect(logger.lines.filter(({ event }) => event === "kept")).toHaveLength(1);
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "lost",
      fields: {
        // The spans that the first stop has kept are gone too.
        spans: 4_000,
        directory: path,
        hint: "free space there, or set DATA_DIR to another directory",
      },
    });
  });
});

describe.each(["stop", "process", "disk"])("at level %s", (DURABILITY) => {
  /** Stops a server with 10 spans of an earlier run and 10 of its own, after a fault. */
  async function stopAfter(fault: (directory: DataDirectory) => void) {
    const directory = dataDirectory(folder);
    const env = { DATA_DIR: directory.path, DURABILITY };
    const first = await runServer(env);
    await send(first, requestOf(10));
    await first.stop(0);
    const logger = new RecordingLogger();
    const server = await runServer(env, logger);
    await send(server, requestOf(10, 11));
    fault(directory);
    await server.stop(0);
    const events = logger.lines.filter(({ event }) => event === "kept" || event === "lost");
    const next = await runServer(env);
    const found = numbersOf(next).length;
    await next.stop(0);
    return {
      found,
      hasLostSpans: server.hasLostSpans(),
      reported: events.map(({ event, fields }) => [event, fields?.["spans"]]),
      hints: events.flatMap(({ fields }) => fields?.["hint"] ?? []),
    };
  }

  const REMOVED =
    "these spans were written; check the disk, and what else changes files in DATA_DIR";

  test("spans of a removed directory are reported as lost, not as kept", async () => {
    const end = await stopAfter(({ path }) => rmSync(path, { recursive: true }));

    expect(end).toEqual({
      found: 0,
      hasLostSpans: true,
      reported: [["lost", 20]],
      hints: [REMOVED],
    });
  });

  test.each([
    { fault: "removed", damage: (path: string) => rmSync(path) },
    { fault: "cut", damage: (path: string) => truncateSync(path, 100) },
  ])("spans of a $fault file are reported as lost, the others as kept", async ({ damage }) => {
    const end = await stopAfter(({ segments }) => damage(segments()[0]!));

    expect(end).toEqual({
      found: 10,
      hasLostSpans: true,
      reported: [
        ["lost", 10],
        ["kept", 10],
      ],
      hints: [REMOVED],
    });
  });
});

/** Returns the grace period for forwarding. */
function graceFor(env: Record<string, string>, graceMs: number): number {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  const logger = new RecordingLogger();
  return withoutStoring(buildParts({ config: reading.config, logger, version: "0" }), graceMs);
}

test("forwarding leaves time to store spans at level stop, at most half of the grace", () => {
  const stop = { DATA_DIR: folder, DURABILITY: "stop" };

  expect([5_000, 100, 0].map((graceMs) => graceFor(stop, graceMs))).toEqual([4_900, 50, 0]);
  expect(graceFor({ DATA_DIR: folder }, 5_000)).toBe(5_000);
  expect(graceFor({}, 5_000)).toBe(5_000);
});
