import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { DirectoryDisk } from "../../src/adapters/disk/directory-disk.ts";
import { SimulatedDisk } from "../support/disk/simulated-disk.ts";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { describeDisk } from "./disk.ts";

describeDisk("a simulated disk", () => Promise.resolve(new SimulatedDisk(new SeededRandom(1))));

const folder = temporaryFolder();

describeDisk("a directory", () => DirectoryDisk.open(mkdtempSync(join(folder, "disk-"))));
