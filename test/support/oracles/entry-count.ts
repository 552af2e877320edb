/**
 * Counts the entries of all maps and sets in an object and its parts, which grow without bound if
 * entries are not removed.
 */
export function countEntries(holder: object): number {
  const seen = new Set([holder]);
  let entryCount = 0;
  for (const part of seen) {
    if (part instanceof Map || part instanceof Set) entryCount += part.size;
    for (const value of Object.values(part) as unknown[]) {
      if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
        seen.add(value);
      }
    }
  }
  return entryCount;
}
