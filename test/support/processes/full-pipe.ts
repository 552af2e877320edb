import { constants, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";

/** A pipe whose reader reads only when it is told to. */
export interface UnreadPipe {
  /** The end for a program that writes. */
  readonly writer: number;
  /** Returns everything that is in the pipe now. */
  content(): string;
  /** Fills the pipe with lines. */
  fill(): void;
}

/** Opens a pipe with this path, which must not exist. */
export function openUnreadPipe(path: string): UnreadPipe {
  Bun.spawnSync(["mkfifo", path]);
  // Open for writing too, so that it needs no writer to be opened.
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  return { writer, content: () => contentOf(reader), fill: () => fillPipe(reader) };
}

/** Fills a pipe with lines, through a descriptor that does not block. */
export function fillPipe(fileDescriptor: number): void {
  const line = `${"-".repeat(4095)}\n`;
  try {
    for (;;) writeSync(fileDescriptor, line);
  } catch {
    // EAGAIN: it is full.
  }
}

function contentOf(reader: number): string {
  const page = Buffer.alloc(4096);
  const pages: string[] = [];
  try {
    for (;;) pages.push(page.toString("latin1", 0, readSync(reader, page)));
  } catch {
    // EAGAIN: it is empty.
    return pages.join("");
  }
}

/** Resolves when a thread of a process waits until its pipe has room. */
export async function blockedInPipe(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  const isBlocked = () => readdirSync(tasks).some((task) => isInPipe(`${tasks}/${task}/wchan`));
  while (!isBlocked()) await new Promise((resolve) => setImmediate(resolve));
}

/** Reports whether a thread waits in a pipe; false for one that has ended since it was listed. */
function isInPipe(wchan: string): boolean {
  try {
    return readFileSync(wchan, "latin1").includes("pipe_w");
  } catch {
    return false;
  }
}
