/**
 * Returns the word that was probably meant: one that starts with the given text, or the one with
 * the fewest letters to insert, remove, change or swap. Undefined if more than half of the letters
 * would change.
 */
export function nearestWord(written: string, words: readonly string[]): string | undefined {
  const begun = words.find((word) => written.length >= 3 && word.startsWith(written));
  if (begun !== undefined) return begun;
  const rated = words.map((word) => ({ word, slips: slipsBetween(written, word) }));
  const nearest = rated.toSorted((one, other) => one.slips - other.slips)[0];
  const most = Math.max(2, Math.floor(written.length / 2));
  return nearest !== undefined && nearest.slips <= most && nearest.slips < nearest.word.length
    ? nearest.word
    : undefined;
}

/** Returns ` did you mean "..."?`, or an empty string. */
export function suggestion(written: string, words: readonly string[]): string {
  const nearest = nearestWord(written, words);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

/** Longer than any known word, so the letters after it cannot change the result. */
const MAX_LETTERS = 64;

/**
 * Returns the Damerau-Levenshtein distance, computed row by row. Swapping two adjacent letters
 * counts once.
 */
export function slipsBetween(one: string, other: string): number {
  const letters = one.slice(0, MAX_LETTERS);
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= letters.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = letters[row - 1] === other[column - 1];
      const changed = above[column - 1]! + (isSame ? 0 : 1);
      const least = Math.min(changed, above[column]! + 1, current[column - 1]! + 1);
      const isSwapped =
        letters[row - 1] === other[column - 2] && letters[row - 2] === other[column - 1];
      current[column] = isSwapped ? Math.min(least, before[column - 2]! + 1) : least;
    }
    before = above;
    above = current;
  }
  return above[other.length]!;
}
