import type { ConfigWarning } from "./config-checks.ts";
import { VARIABLE_NAMES } from "./config-variables.ts";
import { quotePeerText } from "./domain/quote-text.ts";

/** Short names have honest neighbours: `APP_PORT` is somebody else's, not a slip in `API_PORT`. */
const LEAST_LENGTH = 12;

/** Letters in a row that may be missing, added or changed; two that changed places count as two. */
const MOST_SLIPS = 2;

/** Names in the environment that are nearly ours. Values are not shown: they may be secret. */
export function misspelledNames(names: readonly string[]): ConfigWarning[] {
  return names.flatMap((name) => {
    const nearest = nearestName(name);
    if (nearest === undefined) return [];
    return [{ variable: quotePeerText(name), message: `unknown: did you mean ${nearest}?` }];
  });
}

/**
 * Asked of every name in the environment before the first request can be received, so nearly all
 * are sent away at once: the bet is that a slip is not in the first three letters.
 */
const BEGINNINGS: ReadonlySet<string> = new Set(VARIABLE_NAMES.map(beginning));

function beginning(name: string): string {
  return name.slice(0, 3).toUpperCase();
}

function nearestName(name: string): string | undefined {
  if (name.length < LEAST_LENGTH || !BEGINNINGS.has(beginning(name))) return undefined;
  if (VARIABLE_NAMES.some((ours) => ours === name)) return undefined;
  return VARIABLE_NAMES.filter((ours) => ours.length >= LEAST_LENGTH)
    .filter((ours) => Math.abs(ours.length - name.length) <= MOST_SLIPS)
    .find((ours) => isSlipOf(ours, name.toUpperCase()));
}

/** What two names begin and end with alike is set aside; little may be left between. */
function isSlipOf(ours: string, name: string): boolean {
  const shorter = Math.min(ours.length, name.length);
  let alike = 0;
  while (alike < shorter && ours[alike] === name[alike]) alike += 1;
  let atEnd = 0;
  while (atEnd < shorter - alike && ours.at(-1 - atEnd) === name.at(-1 - atEnd)) atEnd += 1;
  return Math.max(ours.length, name.length) - alike - atEnd <= MOST_SLIPS;
}
