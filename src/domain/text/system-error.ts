import { quotePeerText } from "./quote-text.ts";

/** The meaning of each code in plain words. Source: errno(3). */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "another program uses it",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it already exists",
  EFBIG: "the file would be too large",
  EIO: "the device reports a read or write error",
  EISDIR: "it is a folder, not a file",
  ELOOP: "too many symbolic links",
  EMFILE: "this process has too many open files",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "the system has too many open files",
  ENOENT: "no such file or folder",
  ENOSPC: "no space is left on the device",
  ENOTSOCK: "it is not a socket",
  ENOTDIR: "part of the path is not a folder",
  ENXIO: "no such device, or nothing reads the pipe",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only",
  ETXTBSY: "it is a running program",
};

/**
 * Returns the reason why the system refused to open, read or write something, safe for a log line.
 * The message of the runtime also has the system call and the path, which the caller has already
 * named.
 */
export function systemErrorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error) ?? /^E[A-Z0-9]+(?=: |$)/.exec(text)?.[0];
  if (code === undefined) return quotePeerText(text);
  return REASONS[code] ?? quotePeerText(text.split(",")[0]!);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
