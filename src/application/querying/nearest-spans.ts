import type { Selector, WrittenCondition } from "../../domain/expectation/expectation.ts";
import { compileCondition, everySpan } from "../../domain/expectation/expectation-matcher.ts";
import { nameHash } from "../../domain/query/filter-key.ts";
import type { SpanMatcher } from "../../domain/query/span-matcher.ts";
import { slipsBetween } from "../../domain/text/nearest-word.ts";
import { textBetween } from "../../domain/wire/scalars.ts";
import {
  createSpanFields,
  readSpanFields,
  type SpanFields,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";
import { scanRing } from "./ring-scan.ts";

/** Spans with one name that meet the same conditions of a selector, and not the others. */
export interface NearSpans {
  /** The newest of them. */
  readonly sequence: number;
  readonly count: number;
  /** The conditions that they do not meet. */
  readonly unmet: readonly WrittenCondition[];
}

/** A group of near spans while the ring is searched. */
interface Group {
  readonly sequence: number;
  readonly unmetBits: number;
  readonly unmetCount: number;
  /** The slips between the name and the wanted one; 0 if the name is as wanted. */
  readonly slips: number;
  count: number;
}

export interface NearSearch {
  readonly selector: Selector;
  /** Whether a span that meets all conditions is near, because it lacks something else. */
  readonly isNear: (sequence: number) => boolean;
  readonly isUnwanted: () => boolean;
}

/** Bounds memory and the time for each span. */
const MAX_GROUPS = 64;
const NEAR_SHOWN = 3;
/** The length of a name that is compared with the wanted one. */
const MAX_NAME_BYTES = 64;

/**
 * Finds the spans that meet the most conditions of a selector; among equals, those with the most
 * similar name, then the newest. Equal near misses count as one, so that a loop does not hide the
 * others. Only spans that meet as many conditions as the nearest are near, and none that meet none
 * of several conditions.
 */
export async function findNearSpans(
  buffer: SearchedBuffer,
  { selector, isNear, isUnwanted }: NearSearch,
): Promise<NearSpans[]> {
  const { conditions } = selector;
  const matchers = conditions.map(compileCondition);
  const wantedName = nameIn(conditions);
  const groups = new Map<string, Group>();
  const fields = createSpanFields();
  const scan = { matcher: everySpan(matchers), after: 0, newestFirst: true };
  await scanRing(buffer, scan, (range) => {
    if (isUnwanted()) return range.first;
    buffer.visit({ ...scan, range }, (sequence, location) => {
      const unmetBits = unmetOf(matchers, location);
      if (unmetBits === 0 && !isNear(sequence)) return true;
      const unmetCount = bitCount(unmetBits);
      if (unmetCount > 1 && unmetCount === matchers.length) return true;
      readSpanFields(fields, location.bytes, location.spanOffset, location.spanLength);
      const isNameUnmet = wantedName !== undefined && (unmetBits & (1 << wantedName.index)) !== 0;
      const slips = isNameUnmet ? slipsOf(fields, wantedName.text) : 0;
      const isAnother = matchers.length === 1 && slips > maxSlips(wantedName?.text ?? "");
      if (isAnother) return true;
      addSpan(groups, fields, { sequence, unmetBits, unmetCount, slips, count: 1 });
      return true;
    });
    return undefined;
  });
  const sorted = [...groups.values()].toSorted(byNearness);
  return sorted
    .filter(({ unmetCount }) => unmetCount === sorted[0]?.unmetCount)
    .slice(0, NEAR_SHOWN)
    .map(({ sequence, count, unmetBits }) => {
      const unmet = conditions.filter((_, index) => (unmetBits & (1 << index)) !== 0);
      return { sequence, count, unmet };
    });
}

function unmetOf(
  matchers: readonly SpanMatcher[],
  location: Parameters<SpanMatcher["matches"]>[0],
): number {
  let bits = 0;
  for (let index = 0; index < matchers.length; index += 1) {
    if (!matchers[index]!.matches(location)) bits |= 1 << index;
  }
  return bits;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Returns the condition on the name, which tells a slip of the pen from another span. */
function nameIn(conditions: readonly WrittenCondition[]) {
  const index = conditions.findIndex(
    ({ test }) => test.on === "name" || test.on === "name_matches",
  );
  const test = conditions[index]?.test;
  if (test?.on !== "name" && test?.on !== "name_matches") return undefined;
  return { index, text: test.value.replaceAll("*", "").toLowerCase() };
}

/** Returns the slips between a name, or its beginning, and the wanted name in lower case. */
function slipsOf({ bytes, nameStart, nameEnd }: SpanFields, wanted: string): number {
  const end = Math.min(nameEnd, nameStart + MAX_NAME_BYTES);
  const name = textBetween(bytes, nameStart, end).toLowerCase();
  const ofWhole = slipsBetween(name, wanted);
  if (name.length <= wanted.length) return ofWhole;
  return Math.min(ofWhole, slipsBetween(name.slice(0, wanted.length), wanted) + 1);
}

/** Returns the slips beyond which a name is another one, if nothing else is wanted. */
function maxSlips(wanted: string): number {
  return Math.max(2, Math.floor(wanted.length / 2));
}

/** Adds a span to its group. If there are too many groups, the farthest one makes room. */
function addSpan(groups: Map<string, Group>, fields: SpanFields, added: Group): void {
  const { bytes, nameStart, nameEnd } = fields;
  const key = `${added.unmetBits} ${nameHash(bytes, nameStart, nameEnd)}`;
  const known = groups.get(key);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  groups.set(key, added);
  if (groups.size <= MAX_GROUPS) return;
  const [farthest] = [...groups].toSorted((one, other) => byNearness(other[1], one[1]))[0]!;
  groups.delete(farthest);
}

function byNearness(one: Group, other: Group): number {
  return (
    one.unmetCount - other.unmetCount || one.slips - other.slips || other.sequence - one.sequence
  );
}
