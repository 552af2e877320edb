import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { noSpans, REQUEST, threeSpans } from "../../../support/fakes/api-answers.ts";
import { lengthDelimited } from "../../../support/requests/byte-chunks.ts";
import { type Answer, problem, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { itemsOf } from "../../../support/requests/file-items.ts";
import { requestOf, serverRequest } from "../../../support/requests/request-bytes.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

stopFakeServersAfterEach();

const get = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["get", ...argv], answer, parts);

const folder = temporaryFolder();
const TERMINAL = { columns: 80 };

test.each([
  { name: "spans.json", content: `${otlpJson(REQUEST)}\n` },
  { name: "spans.jsonl", content: `${otlpJson(REQUEST)}\n` },
  { name: "SPANS.NDJSON", content: `${otlpJson(REQUEST)}\n` },
  { name: "spans.binpb", content: lengthDelimited(REQUEST) },
  { name: "spans.pb", content: lengthDelimited(REQUEST) },
  { name: "spans.proto", content: lengthDelimited(REQUEST) },
])("the extension of $name determines its format", async ({ name, content }) => {
  const path = join(folder, name);

  const end = await get(["--out", path], threeSpans);

  expect(end).toMatchObject({ exitCode: 0, stdout: "" });
  expect(end.stderr).toMatch(/^spanring: \S+: 3 spans, [\d.]+ K?i?B\n$/);
  expect(readFileSync(path).equals(Buffer.from(content as string))).toBe(true);
});

test.each([
  { argv: ["--format", "proto"], content: lengthDelimited(REQUEST) },
  { argv: ["--format", "json"], content: `${otlpJson(REQUEST)}\n` },
  { argv: ["--json"], content: `${otlpJson(REQUEST)}\n` },
  { argv: ["--otlp"], content: REQUEST },
])("$argv determines the format of a file, whatever its extension", async ({ argv, content }) => {
  const path = join(folder, "spans.txt");

  const end = await get(["--out", path, ...argv], threeSpans, TERMINAL);

  expect(end.exitCode).toBe(0);
  expect(readFileSync(path).equals(Buffer.from(content as string))).toBe(true);
});

test("a large answer is split into requests, one per line", async () => {
  const path = join(folder, "large.jsonl");
  const large = Buffer.concat(Array.from({ length: 400 }, (_, at) => requestOf(5, 1 + at * 5)));

  const end = await get(["--out", path], () => new Response(large));

  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(end.stderr).toContain("2,000 spans");
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.flatMap((line) => JSON.parse(line).resourceSpans)).toHaveLength(400);
});

test.each(["jsonl", "binpb"])("a large ResourceSpans is split in a .%s file", async (ending) => {
  const path = join(folder, `one.${ending}`);

  const end = await get(["--out", path], () => new Response(serverRequest(2000)));
  const items = await itemsOf(readFileSync(path), 100_000);

  const counts = items.map((item) => ("spanCount" in item ? item.spanCount : NaN));
  const sizes = items.map((item) => ("fileBytes" in item ? item.fileBytes : NaN));
  expect(end.stderr).toContain("2,000 spans");
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
  expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
});

test("a single bare request is never split", async () => {
  const path = join(folder, "bare.bin");
  const request = serverRequest(2000);

  await get(["--out", path, "--otlp"], () => new Response(request));

  expect(readFileSync(path).equals(request)).toBe(true);
});

test.each([
  { name: "an empty result", answer: noSpans, exitCode: 1 },
  { name: "a refusal", answer: () => problem(400, { detail: "no" }), exitCode: 2 },
  { name: "a truncated answer", answer: () => new Response(REQUEST.subarray(0, 99)), exitCode: 3 },
  { name: "an answer of another type", answer: () => new Response("<html>"), exitCode: 3 },
  {
    name: "an answer that is not a trace request",
    answer: () => new Response(Uint8Array.of(0x0a, 2, 0x0b, 0)),
    exitCode: 3,
  },
])("$name leaves no file", async ({ answer, exitCode }) => {
  const empty = temporaryFolder();

  const end = await get(["--out", join(empty, "spans.jsonl")], answer);

  expect(end).toMatchObject({ exitCode, stdout: "" });
  expect(readdirSync(empty)).toEqual([]);
});

test("an existing file is kept if the new answer is truncated", async () => {
  const path = join(folder, "again.jsonl");
  await get(["--out", path], threeSpans);
  const before = readFileSync(path, "utf8");

  const end = await get(["--out", path], () => new Response(REQUEST.subarray(0, 99)));

  expect(end.exitCode).toBe(3);
  expect(readFileSync(path, "utf8")).toBe(before);
});

test.each([
  { signal: "SIGINT", exitCode: 130 },
  { signal: "SIGTERM", exitCode: 143 },
])("$signal leaves no file", async ({ signal, exitCode }) => {
  const empty = temporaryFolder();
  const { promise: stopped, resolve } = Promise.withResolvers<string>();
  const stop = (): void => resolve(signal);
  const answer: Answer = () => {
    stop();
    return new Promise(() => {});
  };

  const end = await get(["--out", join(empty, "x.jsonl")], answer, { stopped: () => stopped });

  expect(end).toMatchObject({ exitCode, stdout: "", stderr: "" });
  expect(readdirSync(empty)).toEqual([]);
});

test("an output path that cannot be written is reported before any request", async () => {
  const path = join(folder, "no-such-folder", "spans.jsonl");

  const end = await get(["--out", path], threeSpans);

  expect(end).toMatchObject({ exitCode: 1, stdout: "", requestLines: [] });
  expect(end.stderr).toMatch(/^spanring: cannot write "\S+": no such file/);
});

test("an output file that cannot be renamed is removed", async () => {
  const empty = temporaryFolder();
  const path = join(empty, "taken.jsonl");
  mkdirSync(join(path, "full"), { recursive: true });

  const end = await get(["--out", path], threeSpans);

  expect(end).toMatchObject({ exitCode: 1 });
  expect(readdirSync(empty)).toEqual(["taken.jsonl"]);
  expect(existsSync(join(path, "full"))).toBe(true);
});

test("a file gets all spans unless a limit is given", async () => {
  const path = join(folder, "all.jsonl");

  const all = await get(["--out", path], threeSpans);
  const some = await get(["--out", path, "--limit", "5"], threeSpans);

  expect(all.requestLines).toEqual(["GET /api/spans?limit=2147483647"]);
  expect(some.requestLines).toEqual(["GET /api/spans?limit=5&order=newest"]);
});
