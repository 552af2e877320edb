import { durationOf, type TraceTree, type TreeSpan } from "./trace-tree.ts";

/** What the second trace has in the place of a span of the first one. */
export type Change = "new" | "missing" | "slower" | "faster" | "alike";

/** A span of one trace, and its counterpart in the other. */
export interface ComparedSpan {
  readonly depth: number;
  /** Undefined for a span that is new in the second trace. */
  readonly first: TreeSpan | undefined;
  /** Undefined for a span that is missing in the second trace. */
  readonly second: TreeSpan | undefined;
  readonly change: Change;
  /** How much longer the second one takes; null unless both durations are known. */
  readonly differenceNano: number | null;
}

/** Shorter differences are noise: a span is slower if it takes this much longer. */
export const MIN_DIFFERENCE_NANO = 100_000;
export const MIN_DIFFERENCE_SHARE = 0.1;

/**
 * Compares two traces. Spans correspond if their paths do: the services and names from the root
 * down, and the place among the siblings of the same service and name. The order is that of a tree
 * with the spans of both, without recursion, because traces can be deep.
 */
export function compareTraces(first: TraceTree, second: TraceTree): ComparedSpan[] {
  const compared: ComparedSpan[] = [];
  const waiting = pairsOf(first.roots, second.roots, 0).toReversed();
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    compared.push(comparedSpan(pair));
    const [children, others] = [pair.first?.children ?? [], pair.second?.children ?? []];
    waiting.push(...pairsOf(children, others, pair.depth + 1).toReversed());
  }
  return compared;
}

type Pair = Pick<ComparedSpan, "depth" | "first" | "second">;

/** Pairs siblings. A span without a counterpart comes after the sibling that it follows. */
function pairsOf(firsts: readonly TreeSpan[], seconds: readonly TreeSpan[], depth: number): Pair[] {
  const known = new Set(keysOf(firsts));
  const secondKeys = keysOf(seconds);
  const places = new Map(secondKeys.map((key, at) => [key, at]));
  const pairs: Pair[] = [];
  let next = 0;
  const addNewBefore = (end: number): void => {
    for (; next < end; next += 1) {
      if (!known.has(secondKeys[next]!)) {
        pairs.push({ depth, first: undefined, second: seconds[next] });
      }
    }
  };
  for (const [at, key] of keysOf(firsts).entries()) {
    const place = places.get(key);
    if (place !== undefined) addNewBefore(place);
    pairs.push({
      depth,
      first: firsts[at],
      second: place === undefined ? undefined : seconds[place],
    });
  }
  addNewBefore(seconds.length);
  return pairs;
}

/** Returns a key for each sibling: its service, its name, and how many such siblings precede it. */
function keysOf(siblings: readonly TreeSpan[]): string[] {
  const counts = new Map<string, number>();
  return siblings.map(({ service, span }) => {
    const key = JSON.stringify([service, span.name ?? ""]);
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return `${key}${count}`;
  });
}

function comparedSpan(pair: Pair): ComparedSpan {
  const { first, second } = pair;
  if (first === undefined) return { ...pair, change: "new", differenceNano: null };
  if (second === undefined) return { ...pair, change: "missing", differenceNano: null };
  const [before, after] = [durationOf(first), durationOf(second)];
  if (before === null || after === null) return { ...pair, change: "alike", differenceNano: null };
  const differenceNano = after - before;
  const size = Math.abs(differenceNano);
  const isAlike =
    size < MIN_DIFFERENCE_NANO || size < MIN_DIFFERENCE_SHARE * Math.min(before, after);
  const change = isAlike ? "alike" : differenceNano > 0 ? "slower" : "faster";
  return { ...pair, change, differenceNano };
}

/** Counts the spans by what has changed. */
export function changeCounts(compared: readonly ComparedSpan[]): Readonly<Record<Change, number>> {
  const counts = { new: 0, missing: 0, slower: 0, faster: 0, alike: 0 };
  for (const { change } of compared) counts[change] += 1;
  return counts;
}

/** Returns the spans that differ, with those above them, so that the tree stays a tree. */
export function differencesOnly(compared: readonly ComparedSpan[]): ComparedSpan[] {
  const kept: ComparedSpan[] = [];
  // A span is above another one if it precedes it, and no span in between is as shallow.
  let wantedDepth = -1;
  for (const each of compared.toReversed()) {
    const isAbove = each.depth <= wantedDepth;
    if (each.change === "alike" && !isAbove) continue;
    kept.push(each);
    wantedDepth = each.depth - 1;
  }
  return kept.toReversed();
}
