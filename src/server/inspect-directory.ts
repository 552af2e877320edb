import { CannotInspectError } from "../adapters/cli/command/command-run.ts";
import { crc32, DirectoryDisk } from "../adapters/disk/directory-disk.ts";
import { inspectLog, type InspectedLog } from "../application/log/inspect-log.ts";
import { openFaultText } from "./durable-log.ts";

/** Reads and verifies the log in a directory that no other process uses, and changes nothing. */
export async function inspectDirectory(path: string): Promise<InspectedLog> {
  let disk: DirectoryDisk | undefined;
  try {
    disk = await DirectoryDisk.openUnchanged(path);
    return await inspectLog({ disk, checksum: crc32 });
  } catch (error) {
    throw new CannotInspectError(openFaultText(error));
  } finally {
    await disk?.close();
  }
}
