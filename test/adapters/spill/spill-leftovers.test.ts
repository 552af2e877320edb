import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { logLeftovers } from "../../../src/adapters/spill/spill-leftovers.ts";
import { asNobody } from "../../support/processes/as-nobody.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const root = temporaryFolder();

/** Creates a folder with these files, of three bytes each. */
function folderWith(...names: string[]) {
  return folderOf("spill.binpb", names);
}

function folderOf(spillName: string, names: readonly string[]) {
  const folder = mkdtempSync(join(root, "leftovers-"));
  for (const name of names) writeFileSync(join(folder, name), "abc");
  const logger = new RecordingLogger();
  const look = () => logLeftovers(join(folder, spillName), logger);
  return { folder, logger, look, names: () => readdirSync(folder).toSorted() };
}

test("files that earlier stops left under other names are logged and kept", async () => {
  const left = [
    ".spill.binpb.5f3a9c01",
    "spill.binpb.1",
    "spill.binpb.12",
    "spill.binpb.unread",
    "spill.binpb.unread.2",
  ];
  const { folder, logger, look, names } = folderWith("spill.binpb", ...left);

  await look();

  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "spill_leftovers",
      fields: {
        count: 5,
        bytes: 15,
        files: left.map((name) => join(folder, name)),
        hint: expect.stringMatching(/^spanring send \/.*5f3a9c01 sends its readable spans; /),
      },
    },
  ]);
  expect(names()).toEqual([...left, "spill.binpb"].toSorted());
});

test("files with other names are not leftovers", async () => {
  const { logger, look } = folderWith(
    "spill.binpb",
    "spill.binpb.old",
    "spill.binpb.1.gz",
    "spill_binpb.1",
    "other.binpb.1",
    ".spill.binpb.swp",
    ".spill.binpb.5f3a9c0",
  );

  await look();

  expect(logger.lines).toEqual([]);
});

test("a spill file with a very short name has leftovers too", async () => {
  const { logger, look } = folderOf("1", ["1", "1.1", ".1.1f3a9c01", "1.unread", "2", "11.1"]);

  await look();

  expect(logger.lines).toMatchObject([{ fields: { count: 3 } }]);
});

test("folders and broken links are not leftovers", async () => {
  const { folder, logger, look } = folderWith();
  mkdirSync(join(folder, "spill.binpb.1"));
  symlinkSync("nowhere", join(folder, "spill.binpb.2"));

  await look();

  expect(logger.lines).toEqual([]);
});

test("at most ten leftovers are named", async () => {
  const names = Array.from({ length: 30 }, (_, at) => `spill.binpb.${at + 1}`);
  const { logger, look } = folderWith(...names);

  await look();

  expect(logger.lines[0]?.fields).toMatchObject({ count: 30, bytes: 90 });
  expect(logger.lines[0]?.fields["files"]).toHaveLength(10);
});

test("a folder that cannot be listed is logged, and the start continues", async () => {
  const { folder, logger, look } = folderWith("spill.binpb.1");
  chmodSync(root, 0o777);
  chmodSync(folder, 0o333);

  await asNobody(look);

  expect(logger.lines).toMatchObject([
    {
      level: "warning",
      event: "cannot_list_spill_leftovers",
      fields: { folder, reason: "permission denied" },
    },
  ]);
});

// A file that is removed after its folder was listed fails in this way.
test("a file that cannot be examined is not a leftover", async () => {
  const { folder, logger, look } = folderWith("spill.binpb.1");
  chmodSync(root, 0o777);
  chmodSync(folder, 0o444);

  await asNobody(look);

  expect(logger.lines).toEqual([]);
});
