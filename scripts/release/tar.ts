import type { ArchiveEntry } from "./archive-entry.ts";
import { archiveSeconds } from "./time.ts";

const BLOCK_BYTES = 512;

/**
 * Returns a tar archive in the order of the entries. Unlike `tar`, it needs no files on the disk,
 * which only root could give to another owner. Source: POSIX, ustar Interchange Format.
 */
export function tarOf(entries: readonly ArchiveEntry[], prefix = "./"): Buffer {
  const blocks = entries.flatMap((entry) => {
    const { bytes = Buffer.alloc(0) } = entry;
    return [headerOf(entry, prefix), bytes, Buffer.alloc(-bytes.length & (BLOCK_BYTES - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function headerOf(entry: ArchiveEntry, prefix: string): Buffer {
  const { path, mode, bytes, link, owner = 0 } = entry;
  const header = Buffer.alloc(BLOCK_BYTES);
  const isDirectory = bytes === undefined && link === undefined;
  putText(header, `${prefix}${path}${isDirectory ? "/" : ""}`, { at: 0, bytes: 100 });
  putOctal(header, mode, { at: 100, bytes: 8 });
  putOctal(header, owner, { at: 108, bytes: 8 });
  putOctal(header, owner, { at: 116, bytes: 8 });
  putOctal(header, bytes?.length ?? 0, { at: 124, bytes: 12 });
  putOctal(header, archiveSeconds(), { at: 136, bytes: 12 });
  header.write(link !== undefined ? "2" : isDirectory ? "5" : "0", 156);
  putText(header, link ?? "", { at: 157, bytes: 100 });
  header.write("ustar\u000000", 257, "latin1");
  putChecksum(header);
  return header;
}

interface Field {
  readonly at: number;
  readonly bytes: number;
}

function putText(header: Buffer, text: string, { at, bytes }: Field): void {
  if (Buffer.byteLength(text) > bytes) throw new Error(`"${text}" is too long for a tar archive`);
  header.write(text, at);
}

function putOctal(header: Buffer, value: number, { at, bytes }: Field): void {
  header.write(value.toString(8).padStart(bytes - 1, "0"), at);
}

/** The sum of the header, in which its own field counts as spaces. */
function putChecksum(header: Buffer): void {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
