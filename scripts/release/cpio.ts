import { type ArchiveEntry, typedMode } from "./archive-entry.ts";
import { archiveSeconds } from "./time.ts";

/** Returns a cpio archive in the "new ASCII" format of RPM. Source: cpio(5). */
export function cpioOf(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => {
    const contents = entry.bytes ?? Buffer.from(entry.link ?? "");
    const fields = { inode: index + 1, mode: typedMode(entry), size: contents.length };
    return memberOf(`./${entry.path}`, { ...fields, seconds: archiveSeconds() }, contents);
  });
  const end = { inode: 0, mode: 0, size: 0, seconds: 0 };
  return Buffer.concat([...parts, ...memberOf("TRAILER!!!", end, Buffer.alloc(0))]);
}

interface MemberFields {
  readonly inode: number;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
}

function memberOf(name: string, fields: MemberFields, contents: Uint8Array): Uint8Array[] {
  const { inode, mode, size, seconds } = fields;
  const nameBytes = Buffer.byteLength(name) + 1;
  // Inode, mode, user, group, links, time, size, two devices, length of the name, checksum.
  const numbers = [inode, mode, 0, 0, 1, seconds, size, 0, 0, 0, 0, nameBytes, 0];
  const digits = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  return [padded(Buffer.from(`070701${digits}${name}\0`)), padded(contents)];
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
