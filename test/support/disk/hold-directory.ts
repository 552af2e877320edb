import { DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";

// Holds a directory until it is killed: `bun hold-directory.ts PATH`.
await DirectoryDisk.open(process.argv[2]!);
process.stdout.write("held\n");
setInterval(() => {}, 1_000_000);
