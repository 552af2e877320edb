/** 1985, the time that npm gives to every file in its packages. */
const DEFAULT_SECONDS = Date.parse("1985-10-26T08:15:00Z") / 1_000;

/**
 * Returns the time of every file in an archive, in seconds since 1970, so that builds are
 * identical: that of `SOURCE_DATE_EPOCH`, or one that never changes.
 */
export function archiveSeconds(env: NodeJS.ProcessEnv = process.env): number {
  const { SOURCE_DATE_EPOCH: text = "" } = env;
  if (text === "") return DEFAULT_SECONDS;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`SOURCE_DATE_EPOCH="${text}": must be a number of seconds since 1970`);
}
