import { readFileSync } from "node:fs";

/** A file, a directory or a link in an archive, below its root. */
export interface ArchiveEntry {
  /** Without a slash at either end: `usr/bin/spanring`. */
  readonly path: string;
  readonly mode: number;
  /** The contents; undefined for a directory and a link. */
  readonly bytes?: Uint8Array;
  /** The target of a symbolic link. */
  readonly link?: string;
  /** The user and the group that own it; 0 by default. */
  readonly owner?: number;
  /** Whether it is a file for the administrator, which an upgrade must not replace. */
  readonly isConfiguration?: boolean;
}

export function directory(path: string, mode = 0o755, owner = 0): ArchiveEntry {
  return { path, mode, owner };
}

export function textFile(path: string, text: string, mode = 0o644): ArchiveEntry {
  return { path, mode, bytes: Buffer.from(text) };
}

export function copiedFile(path: string, source: string, mode = 0o644): ArchiveEntry {
  return { path, mode, bytes: readFileSync(source) };
}

/** Adds the directories above the entries, and sorts all of them by path. */
export function withDirectories(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    const parts = path.split("/");
    for (let count = 1; count < parts.length; count += 1) {
      const parent = parts.slice(0, count).join("/");
      if (!byPath.has(parent)) byPath.set(parent, directory(parent));
    }
  }
  return [...byPath.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** The bits of a mode that say what an entry is. Source: inode(7). */
export function typedMode({ mode, bytes, link }: ArchiveEntry): number {
  if (link !== undefined) return 0o120000 | mode;
  return (bytes === undefined ? 0o040000 : 0o100000) | mode;
}
