import { compileFilter } from "../../domain/query/span-matcher.ts";
import {
  createSpanFields,
  hasParent,
  parentIdHex,
  readSpanFields,
  spanIdHex,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";
import { scanRing } from "./ring-scan.ts";

/** Bounds memory; the family of a span in a larger trace may be incomplete. */
const MAX_TRACE_SPANS = 10_000;
const MAX_ANCESTORS = 8;
const MAX_OTHERS = 12;

interface Member {
  readonly sequence: number;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentId: string;
}

/**
 * Returns the sequences of the spans around one: its ancestors, its children and its siblings, as
 * many as a message has room for.
 */
export async function familyOf(
  buffer: SearchedBuffer,
  { traceId, spanId }: { readonly traceId: string; readonly spanId: string },
): Promise<number[]> {
  const members = await membersOf(buffer, traceId);
  const byId = new Map(members.map((member) => [member.spanId, member]));
  const own = byId.get(spanId);
  if (own === undefined) return [];
  const family = new Set([own]);
  for (let at = byId.get(own.parentId); at !== undefined; at = byId.get(at.parentId)) {
    if (family.has(at) || family.size > MAX_ANCESTORS) break;
    family.add(at);
  }
  const children = members.filter(({ parentId }) => parentId === spanId);
  const siblings = members.filter(({ parentId }) => parentId === own.parentId);
  for (const member of [...children.slice(0, MAX_OTHERS), ...siblings.slice(0, MAX_OTHERS)]) {
    family.add(member);
  }
  return [...family].map(({ sequence }) => sequence).toSorted((one, other) => one - other);
}

async function membersOf(buffer: SearchedBuffer, traceId: string): Promise<Member[]> {
  const matcher = compileFilter([{ on: "trace_id", value: traceId }]);
  const members: Member[] = [];
  const fields = createSpanFields();
  const scan = { matcher, after: 0, newestFirst: true };
  await scanRing(buffer, scan, (range) => {
    buffer.visit({ ...scan, range }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const parentId = hasParent(fields) ? parentIdHex(fields) : "";
      members.push({ sequence, spanId: spanIdHex(fields), parentId });
      return members.length < MAX_TRACE_SPANS;
    });
    return members.length < MAX_TRACE_SPANS ? undefined : range.first;
  });
  return members;
}
