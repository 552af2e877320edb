/**
 * Counts the entries of all maps and sets that an object holds, itself or through its parts: what
 * grows for ever when something is not taken out again.
 */
export function keptEntries(holder: object): number {
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
