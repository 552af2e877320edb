import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { SpillFile } from "../../src/adapters/spill/spill-file.ts";
import { FakeSpill } from "../support/fakes/fake-spill.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { describeSpanSpill } from "./span-spill.ts";

describeSpanSpill("a fake", () => new FakeSpill());

const folder = temporaryFolder();

describeSpanSpill(
  "a file",
  () => new SpillFile(join(mkdtempSync(join(folder, "spill-")), "spill.binpb")),
);
