import { expect, spyOn, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { frameRequest } from "../../../src/adapters/otlp-files/message-frames.ts";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { SpillFile } from "../../../src/adapters/spill/spill-file.ts";
import { contentsOf } from "../../contract/span-spill.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { asNobody } from "../../support/processes/as-nobody.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";
import { openFilesIn } from "../../support/processes/open-files.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const root = temporaryFolder();

/** Creates a spill file in its own folder. */
function spillFile(name = "spill.binpb") {
  const folder = mkdtempSync(join(root, "spill-"));
  const path = join(folder, name);
  return { spill: new SpillFile(path), folder, path, names: () => readdirSync(folder).toSorted() };
}

const FRAMED = Buffer.concat([requestOf(2), requestOf(1, 3)].map((each) => frame(each)));

function frame(request: Uint8Array): Uint8Array {
  return frameRequest(request, "proto");
}

test.each(["spill.binpb", "spill.jsonl", "spill"])(
  "%s contains length-delimited protobuf that commands can read, only for its owner",
  async (name) => {
    const { spill, path, names } = spillFile(name);

    await spill.write([requestOf(2), requestOf(1, 3)]);

    const chunks = Bun.file(path).stream() as unknown as AsyncIterable<Uint8Array>;
    const read = await Array.fromAsync(readRequests(chunks));
    expect(names()).toEqual([name]);
    expect(readFileSync(path).toHex()).toBe(FRAMED.toHex());
    expect(read).toMatchObject([{ spanCount: 2 }, { spanCount: 1 }]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  },
);

test("an incomplete file has another name", async () => {
  const { spill, names } = spillFile();
  const seen: string[][] = [];

  await spill.write(
    (function* () {
      yield requestOf(1);
      seen.push(names());
    })(),
  );

  expect(seen).toEqual([[expect.stringMatching(/^\.spill\.binpb\./)]]);
  expect(names()).toEqual(["spill.binpb"]);
});

test("the file is synced before it is renamed, and its folder after that", async () => {
  const { spill, path, folder, names } = spillFile();
  const probe = await open(root, "r");
  const sync = spyOn(Object.getPrototypeOf(probe) as typeof probe, "sync");
  await probe.close();
  const synced: { of: string; names: string[] }[] = [];
  sync.mockImplementation(async function (this: FileHandle) {
    const { ino } = await this.stat();
    synced.push({ of: ino === statSync(folder).ino ? "folder" : "file", names: names() });
  });

  await spill.write([requestOf(1)]);
  sync.mockRestore();

  const unnamed = expect.stringMatching(/^\.spill\.binpb\./) as string;
  expect(synced).toEqual([
    { of: "file", names: [unnamed] },
    { of: "folder", names: [basename(path)] },
  ]);
});

test("a file that is not read to its end is closed", async () => {
  const { spill, folder } = spillFile();
  await spill.write(Array.from({ length: 100 }, () => requestOf(100)));

  const items = spill.read()[Symbol.asyncIterator]();
  const first = await items.next();
  const during = openFilesIn(folder);
  await items.return?.(undefined);
  while (openFilesIn(folder) > 0) await nextTurn();

  expect(first.value).toMatchObject({ spanCount: 100 });
  expect(during).toBe(1);
});

test("existing files and links are never replaced by a write or by setAside()", async () => {
  const { spill, path, names } = spillFile();
  writeFileSync(path, "first");
  mkdirSync(`${path}.1`);
  symlinkSync("nowhere", `${path}.unread`);

  const paths = [await spill.write([requestOf(1)]), await spill.setAside()];

  expect(paths).toEqual([`${path}.2`, `${path}.unread.1`]);
  expect(names().map((name) => name.replace("spill.binpb", ""))).toEqual([
    ".1",
    ".2",
    ".unread",
    ".unread.1",
  ]);
  expect(readFileSync(`${path}.unread.1`, "utf8")).toBe("first");
});

test("tryOut() leaves no file", async () => {
  const { spill, names } = spillFile();

  await spill.tryOut();

  expect(names()).toEqual([]);
});

test.each([
  { name: "a folder", put: (path: string) => mkdirSync(path), reason: "not a regular file" },
  {
    name: "a pipe",
    put: (path: string) => Bun.spawnSync(["mkfifo", path]),
    reason: "not a regular file",
  },
  {
    name: "a link to a device",
    put: (path: string) => symlinkSync("/dev/null", path),
    reason: "not a regular file",
  },
  {
    name: "a link to itself",
    put: (path: string) => symlinkSync("spill.binpb", path),
    reason: "ELOOP",
  },
])("tryOut() refuses $name at the path and leaves it in place", async ({ put, reason }) => {
  const { spill, path, names } = spillFile();
  put(path);

  await expect(spill.tryOut()).rejects.toThrow(reason);

  expect(names()).toEqual(["spill.binpb"]);
});

test("tryOut() refuses a path that ends in a missing folder", async () => {
  const { folder, names } = spillFile();
  const spill = new SpillFile(join(folder, "spill/"));

  await expect(spill.tryOut()).rejects.toThrow("it names a folder");

  expect(names()).toEqual([]);
});

test("tryOut() refuses an unreadable file and leaves it in place", async () => {
  const { spill, folder, path, names } = spillFile();
  writeFileSync(path, "spans", { mode: 0 });
  for (const each of [root, folder]) chmodSync(each, 0o777);

  const tried = asNobody(() => spill.tryOut());

  await expect(tried).rejects.toThrow("EACCES");
  expect(names()).toEqual(["spill.binpb"]);
});

test.each([
  {
    name: "is replaced by an unreadable file",
    rest: Buffer.from("no traces at all"),
    left: ["", ".1"],
  },
  { name: "is removed", rest: undefined, left: [""] },
])("a rewritten file that $name does not affect the next write", async ({ rest, left }) => {
  const { spill, path, names } = spillFile();
  await spill.write([requestOf(2)]);
  await spill.replace(Readable.from([requestOf(1)]));
  rmSync(path);
  for (const bytes of [rest ?? []].flat()) writeFileSync(path, bytes);

  const finalPath = await spill.write([requestOf(3)]);

  expect(finalPath).toBe(`${path}${left.at(-1)}`);
  expect(names()).toEqual(left.map((ending) => `spill.binpb${ending}`));
  expect(readFileSync(finalPath).toHex()).toBe(frame(requestOf(3)).toHex());
});

test("tryOut() finds a folder that cannot be synced", async () => {
  const { spill, names } = spillFile();
  const probe = await open(root, "r");
  const sync = spyOn(Object.getPrototypeOf(probe) as typeof probe, "sync");
  await probe.close();
  sync.mockRejectedValue(new Error("EIO: i/o error, fsync"));

  const tried = await spill.tryOut().catch(String);
  sync.mockRestore();

  expect(tried).toContain("EIO");
  expect(names()).toEqual([]);
});

test("an unusable path is found by tryOut(), and a write leaves no file", async () => {
  const { folder, names } = spillFile();
  const spill = new SpillFile(join(folder, "missing", "spill.binpb"));

  await expect(spill.tryOut()).rejects.toThrow("ENOENT");
  await expect(spill.write([requestOf(1)])).rejects.toThrow("ENOENT");
  expect(names()).toEqual([]);
});

test("a file removed during a write leaves nothing under its final name", async () => {
  const { spill, folder, names } = spillFile();

  const written = spill.write(
    (function* () {
      yield requestOf(1);
      for (const name of names()) rmSync(join(folder, name));
    })(),
  );

  await expect(written).rejects.toThrow("ENOENT");
  expect(names()).toEqual([]);
});

test("a file whose longer name would be too long stays in place", async () => {
  const { spill, path, names } = spillFile("n".repeat(250));
  writeFileSync(path, "kept");

  await expect(spill.setAside()).rejects.toThrow("ENAMETOOLONG");
  expect(names()).toHaveLength(1);
});

test.each([
  { name: "truncated within a request", cut: FRAMED.length - 1, requests: 1, fault: "truncated" },
  {
    name: "truncated within a length",
    cut: frame(requestOf(2)).length + 2,
    requests: 1,
    fault: "truncated",
  },
  { name: "truncated within the first request", cut: 10, requests: 0, fault: "byte 0: truncated" },
])("the requests before the fault are read from a file $name", async ({ cut, requests, fault }) => {
  const { spill, path } = spillFile();
  writeFileSync(path, FRAMED.subarray(0, cut));

  const items = await contentsOf(spill);

  expect(items).toHaveLength(requests + 1);
  expect(items.at(-1)).toEqual({ fault: expect.stringContaining(fault) });
});

test("an invalid request is reported as a fault with its position", async () => {
  const { spill, path } = spillFile();
  writeFileSync(path, Buffer.concat([frame(requestOf(2)), frame(Buffer.from("no traces"))]));

  const [first, fault, ...more] = await contentsOf(spill);

  expect(first).toMatchObject({ spanCount: 2 });
  expect(fault).toEqual({ fault: expect.stringMatching(/^byte \d+: this is not a trace request/) });
  expect(more).toEqual([]);
});

test("a folder at the path is reported as a fault and stays in place", async () => {
  const { spill, path, names } = spillFile();
  mkdirSync(path);

  expect(await contentsOf(spill)).toEqual([{ fault: "it is not a file" }]);
  await expect(spill.setAside()).rejects.toThrow("it is not a file");
  expect(names()).toEqual(["spill.binpb"]);
});

test("a path that cannot be examined is reported as a fault", async () => {
  const { path } = spillFile();
  writeFileSync(path, "");
  const spill = new SpillFile(join(path, "spill.binpb"));

  expect(await contentsOf(spill)).toEqual([
    { fault: expect.stringContaining("part of the path is not a folder") },
  ]);
});
