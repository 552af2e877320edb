import { afterEach, expect, spyOn, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { FileSink } from "../../../src/adapters/forward/file-sink.ts";
import { RotatingFile } from "../../../src/adapters/forward/rotating-file.ts";
import type { FileFormat } from "../../../src/domain/text/file-format.ts";
import { MAX_REQUEST_BYTES } from "../../../src/adapters/otlp-files/byte-source.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { lengthDelimited } from "../../support/requests/byte-chunks.ts";
import { itemsOf } from "../../support/requests/file-items.ts";
import { serverRequest } from "../../support/requests/request-bytes.ts";
import { FILE_PARTS, requestsInFile } from "../../support/upstreams/sink-upstreams.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const root = temporaryFolder();
const WRITE_UNTIL_FULL = join(import.meta.dir, "../../support/processes/write-until-full.ts");

const sinks: FileSink[] = [];

afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
});

function openSink(path: string, format: FileFormat): FileSink {
  const sink = new FileSink({ ...FILE_PARTS, path, format });
  sinks.push(sink);
  return sink;
}

function newPath(name: string): string {
  return join(mkdtempSync(join(root, "sink-")), name);
}

test("JSON has one line per batch, like that of the collector's file exporter", async () => {
  const path = newPath("spans.jsonl");
  const sink = openSink(path, "json");

  await Promise.all([sink.send(batchOf(2), never), sink.send(batchOf(1, 9), never)]);
  await sink.close();

  const lines = [batchOf(2), batchOf(1, 9)].map(({ request }) => `${otlpJson(request)}\n`);
  expect(readFileSync(path, "utf8")).toBe(lines.join(""));
});

test("protobuf is the unchanged batches, each after its length", async () => {
  const path = newPath("spans.binpb");
  const sink = openSink(path, "proto");

  await Promise.all([sink.send(batchOf(2), never), sink.send(batchOf(1, 9), never)]);
  await sink.close();

  const whole = Buffer.from(lengthDelimited(batchOf(2).request, batchOf(1, 9).request));
  expect(readFileSync(path).equals(whole)).toBe(true);
});

test.each(["json", "proto"] as const)(
  "the memory of a batch is freed once it is written as %s, not left to the collector",
  async (format) => {
    using append = spyOn(RotatingFile.prototype, "append");
    const sink = openSink(newPath("spans.any"), format);

    const outcome = await sink.send({ request: serverRequest(2000), spanCount: 2000 }, never);

    expect(outcome).toEqual({ outcome: "delivered" });
    expect(append.mock.calls.map(([frames]) => frames.length)).toEqual([0]);
  },
);

test.each(["json", "proto"] as const)(
  "a large batch written as %s can be sent from its file",
  async (format) => {
    const path = newPath("spans.any");
    const sink = openSink(path, format);

    const outcome = await sink.send({ request: serverRequest(2000), spanCount: 2000 }, never);
    await sink.close();

    const items = await itemsOf(readFileSync(path), 100_000);
    const counts = items.map((item) => ("spanCount" in item ? item.spanCount : NaN));
    const sizes = items.map((item) => ("fileBytes" in item ? item.fileBytes : NaN));
    expect(outcome).toEqual({ outcome: "delivered" });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
  },
);

test.each([
  {
    name: "a missing folder",
    path: "nowhere/spans.jsonl",
    reason: "no such file or folder",
  },
  { name: "a folder at the path", path: "folder.jsonl", reason: "it is a folder, not a file" },
  {
    name: "a file in place of a folder",
    path: "file/spans.jsonl",
    reason: "part of the path is not a folder",
  },
  {
    name: "a pipe without a reader",
    path: "pipe.jsonl",
    reason: "it is not a regular file",
  },
])("$name causes a retry with the reason", async ({ path, reason }) => {
  const folder = mkdtempSync(join(root, "wrong-"));
  mkdirSync(join(folder, "folder.jsonl"));
  await Bun.write(join(folder, "file"), "");
  execFileSync("mkfifo", [join(folder, "pipe.jsonl")]);
  const sink = openSink(join(folder, path), "json");

  const outcome = await sink.send(batchOf(1), never);

  expect(outcome.outcome).toBe("retry");
  expect(outcome.message).toBe(`cannot write "${join(folder, path)}": ${reason}`);
});

test("a batch aborted while another is written is not written", async () => {
  const path = newPath("spans.binpb");
  const sink = openSink(path, "proto");
  const aborting = new AbortController();

  const sending = [sink.send(batchOf(1), never), sink.send(batchOf(2), aborting.signal)];
  aborting.abort();
  const outcomes = await Promise.all(sending);

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["delivered", "retry"]);
  expect(await requestsInFile(path)).toHaveLength(1);
});

test("a batch too large to be read back is refused as too large", async () => {
  const request = new Uint8Array(MAX_REQUEST_BYTES + 1);
  const path = newPath("spans.binpb");

  const outcome = await openSink(path, "proto").send({ request, spanCount: 1 }, never);

  expect(outcome.outcome).toBe("too_large");
  expect(existsSync(path)).toBe(false);
});

test("close() succeeds if the last sync fails", async () => {
  const sink = new FileSink({
    ...FILE_PARTS,
    path: newPath("spans.jsonl"),
    format: "json",
    fsync: "rotate",
  });
  const delivered = await sink.send(batchOf(1), never);
  const probe = await open(root, "r");
  const datasync = spyOn(Object.getPrototypeOf(probe) as typeof probe, "datasync");
  await probe.close();
  datasync.mockRejectedValueOnce(new Error("EIO: i/o error"));

  await sink.close();
  datasync.mockRestore();

  expect(delivered).toEqual({ outcome: "delivered" });
});

test.each(["spans.jsonl", "spans.binpb"])(
  "a full disk leaves whole requests in %s, and smaller batches are still written",
  async (name) => {
    const path = newPath(name);
    // The system shortens the write that crosses the limit, as a full disk does.
    const command = `trap '' XFSZ; ulimit -f 100; exec "$0" "$1" "$2"`;
    const child = Bun.spawn(["sh", "-c", command, process.execPath, WRITE_UNTIL_FULL, path], {
      stderr: "inherit",
    });

    const results = JSON.parse(await child.stdout.text()) as Record<"large" | "small", SinkResult>;

    const requests = await requestsInFile(path);
    expect(results.large.delivered).toBeGreaterThan(3);
    expect(results.small.delivered).toBeGreaterThan(0);
    expect(requests).toHaveLength(results.large.delivered + results.small.delivered);
    expect(results.large.message).toMatch(
      /^cannot write ".*": (the file would be too large|no space is left on the device)$/,
    );
    expect(statSync(path).size).toBeLessThanOrEqual(100 * 1024);
  },
);

interface SinkResult {
  readonly delivered: number;
  readonly message: string;
}

test("a batch that cannot be converted is refused, and the next one is written", async () => {
  const path = newPath("spans.jsonl");
  const sink = openSink(path, "json");
  // A field whose length exceeds the request.
  const broken = { request: Uint8Array.from([0x0a, 0x7f, 0x0a]), spanCount: 1 };

  const outcomes = await Promise.all([sink.send(broken, never), sink.send(batchOf(2), never)]);

  expect(outcomes).toEqual([
    {
      outcome: "refused",
      reason: "invalid",
      message: expect.stringContaining("cannot be written in this format"),
    },
    { outcome: "delivered" },
  ]);
  expect(readFileSync(path, "utf8")).toBe(`${otlpJson(batchOf(2).request)}\n`);
});

test("a failed turn does not affect the next one", async () => {
  const sink = openSink(newPath("spans.binpb"), "proto");
  const fault = spyOn(RotatingFile.prototype, "append").mockImplementationOnce(() => {
    throw new Error("a fault");
  });

  const first = await sink.send(batchOf(1), never).catch(String);
  const second = await sink.send(batchOf(1), never);
  fault.mockRestore();

  expect([first, second]).toEqual(["Error: a fault", { outcome: "delivered" }]);
});

test.each(["json", "proto"] as const)("an empty request writes nothing as %s", async (format) => {
  const path = newPath("spans.any");
  const sink = openSink(path, format);

  const outcome = await sink.send({ request: new Uint8Array(0), spanCount: 0 }, never);

  expect([outcome, existsSync(path)]).toEqual([{ outcome: "delivered" }, false]);
});
