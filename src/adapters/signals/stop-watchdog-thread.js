// The thread of `stop-watchdog.ts`, which embeds this text: the executable has no file for a Worker
// to load. Its only message is a `Watch`.
import { dlopen } from "bun:ffi";
import { write } from "node:fs";

const STANDARD_ERROR = 2;

/**
 * The waits that make up a silence. SIGSTOP, the freezer of a container or its CPU quota stop the
 * loop together with this thread, and the wait that was interrupted times out as soon as they
 * continue, before the loop takes a turn. The loop takes it in one of the waits after that.
 */
const SILENT_WAITS = 10;

/** The time for the line, because standard error may be a pipe that nobody reads. */
const LINE_MS = 50;

/** Sleeps until the cell is set, but no longer than this. Returns whether it is set. */
function isSetWithin({ cells }, cell, limitMs) {
  return Atomics.wait(cells, cell, 0, limitMs) !== "timed-out";
}

/** Returns whether the loop is blocked after the grace period; false once the stop has ended. */
function isOverdue(watch) {
  const { cells, at, graceMs, marginMs, silenceMs } = watch;
  isSetWithin(watch, at.hurried, graceMs);
  if (isSetWithin(watch, at.ended, marginMs)) return false;
  for (let silentWaits = 0; silentWaits < SILENT_WAITS;) {
    const turns = Atomics.load(cells, at.turns);
    if (isSetWithin(watch, at.ended, silenceMs / SILENT_WAITS)) return false;
    silentWaits = turns === Atomics.load(cells, at.turns) ? silentWaits + 1 : 0;
  }
  return true;
}

/** Ends a process at once, from any thread. Source: _exit(2). */
const EXIT = "_exit";

/** Ends the process. `process.exit` would end this thread only (Bun 1.4.5). */
function endProcess({ exitCode, libraries }) {
  for (const library of libraries) {
    try {
      dlopen(library, { [EXIT]: { args: ["i32"], returns: "void" } }).symbols[EXIT](exitCode);
    } catch {
      // A library of another system.
    }
  }
  process.kill(process.pid, "SIGKILL");
}

addEventListener("message", ({ data: watch }) => {
  if (!isOverdue(watch)) return close();
  const line = { time: new Date().toISOString(), level: "ERROR", ...watch.line };
  const end = () => endProcess(watch);
  setTimeout(end, LINE_MS);
  write(STANDARD_ERROR, `${JSON.stringify(line)}\n`, end);
});
