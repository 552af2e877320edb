import { afterEach, describe, expect, jest, spyOn, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { SpanLog } from "../../src/application/log/span-log.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { spanNumbers } from "../support/oracles/walked-spans.ts";
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
import type { RunningServer } from "../../src/server/server.ts";

const folder = temporaryFolder();

afterEach(() => void jest.useRealTimers());

async function apiOf({ ports }: RunningServer, path: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${ports.api}${path}`)).text();
}

describe("a log on disk", () => {
  test.each(["disk", "process"])("keeps spans across restarts, at level %s", async (level) => {
    const env = { DURABILITY: level };
    const { path } = await filledDirectory(folder, env);
    const logger = new RecordingLogger();

    const server = await runServer({ DATA_DIR: path, ...env }, logger);
    const found = numbersOf(server);
    const { spans } = server.buffer.stats();
    server.arrivals.take(5);
    await server.stop(0);
    const last = await runServer({ DATA_DIR: path, ...env });
    const left = last.buffer.peek(100);
    await last.stop(0);

    expect(found).toEqual(ALL);
    expect(spans).toEqual(ledgerOf({ received: 12, accepted: 12, buffered: 12 }));
    expect(spanNumbers(left.request)).toEqual(ALL.slice(5));
    expect(left.sequences).toEqual(ALL.slice(5));
    expect(logger.lines).toContainEqual({
      level: "info",
      event: "recovered",
      fields: expect.objectContaining({ spans: 12, segments: 1, torn_bytes: 0 }),
    });
    expect(logger.lines).toContainEqual({
      level: "info",
      event: "kept",
      fields: { spans: 7, directory: path },
    });
  });

  test("keeps what could not be forwarded, so that a stop loses nothing", async () => {
    const { path } = dataDirectory(folder);
    const logger = new RecordingLogger();
    const env = { DATA_DIR: path, FORWARD_ENDPOINT: "http://127.0.0.1:1" };
    const server = await runServer(env, logger);
    await send(server, requestOf(4));

    await server.stop(1);
    const next = await runServer({ DATA_DIR: path });
    const found = numbersOf(next);
    await next.stop(0);

    expect(server.hasLostSpans()).toBe(false);
    expect(logger.lines.map(({ event }) => event)).not.toContain("lost");
    expect(found).toEqual([1, 2, 3, 4]);
  });

  test("reports what a stop loses because it arrived while the disk failed", async () => {
    const { path } = dataDirectory(folder);
    const logger = new RecordingLogger();
    const sizes = { MAX_DISK_BYTES: "1MiB", MAX_BUFFER_SIZE: "100000" };
    const server = await runServer({ DATA_DIR: path, DISK_FAILURE: "memory", ...sizes }, logger);
    await send(server, requestOf(3));
    rmSync(path, { recursive: true });

    await send(server, requestOf(2_000, 4), requestOf(1, 2_004));
    const { buffered } = server.buffer.stats().spans;
    await server.stop(0);

    expect(buffered).toBe(2_004);
    expect(server.hasLostSpans()).toBe(true);
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "lost",
      // The directory is gone, with the spans that had reached it.
      fields: {
        spans: 2_004,
        directory: path,
        hint: expect.stringContaining("DISK_FAILURE=refuse"),
      },
    });
  });

  test("is described by the read API and the metrics", async () => {
    const { path, segments } = dataDirectory(folder);
    const env = { DATA_DIR: path, MAX_DISK_BYTES: "2MiB", MAX_BUFFER_SIZE: "3" };
    const server = await runServer(env);
    await send(server, requestOf(4));

    const { disk, bytes } = JSON.parse(await apiOf(server, "/api/stats"));
    const ready = JSON.parse(await apiOf(server, "/readyz"));
    const metrics = await apiOf(server, "/metrics");
    const used = statSync(segments()[0]!).size;
    await server.stop(0);

    const amounts = { used_bytes: used, max_bytes: 2 * 2 ** 20, segments: 1, queued_bytes: 0 };
    const inEach = bytes.buffered / 4;
    const places = {
      in_memory: { spans: 3, bytes: 3 * inEach },
      only_on_disk: { spans: 1, bytes: inEach },
      only_in_memory: { spans: 0, bytes: 0 },
    };
    expect(disk).toEqual({ durability: "disk", state: "writable", ...amounts, ...places });
    expect(metrics).toContain("\nspanring_memory_spans 3\n");
    expect(metrics).toContain(`\nspanring_memory_span_bytes ${3 * inEach}\n`);
    expect(metrics).toContain("\nspanring_disk_only_spans 1\n");
    expect(metrics).toContain(`\nspanring_disk_only_span_bytes ${inEach}\n`);
    expect(ready.disk).toEqual({ state: "writable" });
    expect(metrics).toContain(`\nspanring_disk_used_bytes ${used}\n`);
    expect(metrics).toContain("\nspanring_memory_only_spans 0\n");
    expect(metrics).toContain("\nspanring_disk_failing 0\n");
  });

  test("is absent from the read API and the metrics without DATA_DIR", async () => {
    const server = await runServer({});

    const stats = JSON.parse(await apiOf(server, "/api/stats"));
    const metrics = await apiOf(server, "/metrics");
    await server.stop(0);

    expect(stats).not.toHaveProperty("disk");
    expect(metrics).not.toContain("\nspanring_disk_used_bytes ");
  });

  test("is synced periodically at level process, and not at level disk", async () => {
    using synced = spyOn(SpanLog.prototype, "sync");
    jest.useFakeTimers();
    const [one, other] = [dataDirectory(folder), dataDirectory(folder)];
    const env = { DURABILITY: "process", SYNC_INTERVAL_MS: "50" };
    const process = await runServer({ DATA_DIR: one.path, ...env });
    jest.advanceTimersByTime(120);
    const count = synced.mock.calls.length;
    const disk = await runServer({ DATA_DIR: other.path, SYNC_INTERVAL_MS: "50" });
    await process.stop(0);
    jest.advanceTimersByTime(120);
    jest.useRealTimers();
    await disk.stop(0);

    expect(count).toBe(2);
    expect(synced.mock.calls).toHaveLength(2);
  });

  test("says if its last sync fails, and is released for the next start", async () => {
    const { path } = dataDirectory(folder);
    const logger = new RecordingLogger();
    const server = await runServer({ DATA_DIR: path }, logger);
    await send(server, requestOf(2));
    const full = Object.assign(new Error("no"), { code: "ENOSPC" });
    using closed = spyOn(SpanLog.prototype, "close").mockRejectedValue(full);

    await server.stop(0);
    closed.mockRestore();
    const next = await runServer({ DATA_DIR: path });
    const found = numbersOf(next);
    await next.stop(0);

    expect(found).toEqual([1, 2]);
    expect(logger.lines).toContainEqual({
      level: "error",
      event: "cannot_sync_log",
      fields: expect.objectContaining({ spans: 2, reason: "no space is left on the device" }),
    });
  });

  test("evicts the oldest spans from the buffer too when it has reached its size", async () => {
    const { path, segments } = dataDirectory(folder);
    const logger = new RecordingLogger();
    const large = { MAX_DISK_BYTES: "1MiB", MAX_BUFFER_SIZE: "1000000" };
    const server = await runServer({ DATA_DIR: path, ...large }, logger);

    for (let first = 1; first < 30_000; first += 1_000) await send(server, requestOf(1_000, first));
    const { spans } = server.buffer.stats();
    const used = segments().reduce((sum, each) => sum + statSync(each).size, 0);
    const oldest = server.buffer.range().first;
    await server.stop(0);
    const next = await runServer({ DATA_DIR: path, ...large });
    const restored = next.buffer.stats();
    await next.stop(0);

    expect(spans.evicted).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(2 ** 20);
    expect(restored.spans.buffered).toBe(spans.buffered);
    expect(restored.sequence.first).toBe(oldest);
    expect(logger.lines.map(({ event }) => event)).toContain("disk_full");
  });
});
