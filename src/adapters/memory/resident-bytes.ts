/**
 * Returns the resident memory of this process; undefined while there is no descriptor: Bun reads a
 * file of the system, and throws if it cannot open it.
 */
export function residentBytes(read = process.memoryUsage.rss): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
