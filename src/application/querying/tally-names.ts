import { compileFilter } from "../../domain/query/span-matcher.ts";
import { textBetween } from "../../domain/wire/scalar-bytes.ts";
import { serviceName } from "../../domain/wire/resource.ts";
import { createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";
import { scanRing } from "./ring-scan.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";

/** Spans of one service that have the same name. */
export interface NameTally {
  readonly service: string;
  readonly name: string;
  readonly spanCount: number;
}

export interface NameTallies {
  /** Those of most spans first; of as many, in the order in which they came. */
  readonly names: readonly NameTally[];
  /** Spans of other names, seen when there was no room for more. */
  readonly otherSpanCount: number;
}

/** A bound, so that ever new names cannot fill the memory. */
const MAX_NAMES = 1_000;

/** The names of all buffered spans. */
export async function tallyNames(buffer: SearchedBuffer): Promise<NameTallies> {
  const look = { matcher: compileFilter([]), after: 0, newestFirst: false };
  const tallies = new Map<string, NameTally>();
  const fields = createSpanFields();
  let otherSpanCount = 0;
  await scanRing(buffer, look, (range) => {
    buffer.visit({ ...look, range }, (_, place) => {
      const { bytes, spanOffset, spanLength, resourceOffset, resourceLength } = place;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const service = serviceName(bytes, resourceOffset, resourceLength);
      const name = textBetween(bytes, fields.nameStart, fields.nameEnd);
      if (!count(tallies, service, name)) otherSpanCount += 1;
      return true;
    });
    return undefined;
  });
  const names = [...tallies.values()].toSorted((a, b) => b.spanCount - a.spanCount);
  return { names, otherSpanCount };
}

/** False when there is no room for one more name. */
function count(tallies: Map<string, NameTally>, service: string, name: string): boolean {
  const key = JSON.stringify([service, name]);
  const known = tallies.get(key);
  if (known === undefined && tallies.size >= MAX_NAMES) return false;
  tallies.set(key, { service, name, spanCount: (known?.spanCount ?? 0) + 1 });
  return true;
}
