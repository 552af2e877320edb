/** An arrow of a graph. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** An arrow, and the nodes through which it passes, one in each layer from the lower end on. */
export interface Route<Each extends Arrow> {
  readonly arrow: Each;
  /** Whether it leads from a later layer to an earlier one, as one arrow of each circle does. */
  readonly isBackward: boolean;
  readonly passes: readonly string[];
}

/** The nodes of a graph in layers, such that arrows lead to later layers, with few crossings. */
export interface Layers<Each extends Arrow> {
  /** The nodes of each layer in order; those of no graph are places that a long arrow passes. */
  readonly layers: readonly (readonly string[])[];
  readonly routes: readonly Route<Each>[];
}

const SWEEPS = 8;

/** Returns layers that depend only on names, so that a map stays as it is while counts change. */
export function layersOf<Each extends Arrow>(
  nodes: readonly string[],
  arrows: readonly Each[],
): Layers<Each> {
  const named = nodes.toSorted();
  const ordered = arrows.toSorted((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
  const backward = backwardArrows(named, ordered);
  const forward = ordered.map((arrow) =>
    backward.has(arrow) ? { from: arrow.to, to: arrow.from } : arrow,
  );
  const ranks = ranksOf(named, forward);
  const routes = ordered.map((arrow, at) => {
    const isBackward = backward.has(arrow);
    return { arrow, isBackward, passes: passesOf(forward[at]!, ranks, at) };
  });
  const layers: string[][] = Array.from({ length: Math.max(0, ...ranks.values()) + 1 }, () => []);
  for (const node of named) layers[ranks.get(node)!]!.push(node);
  for (const { passes } of routes) {
    const first = ranks.get(passes[0]!)!;
    passes.slice(1, -1).forEach((pass, at) => layers[first + 1 + at]!.push(pass));
  }
  return { layers: withFewCrossings(layers, linksOf(routes)), routes };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** Returns arrows without which the graph has no circle: those to a node that led to theirs. */
function backwardArrows<Each extends Arrow>(
  nodes: readonly string[],
  arrows: readonly Each[],
): Set<Each> {
  const backward = new Set<Each>();
  const open = new Set<string>();
  const seen = new Set<string>();
  const visit = (node: string): void => {
    seen.add(node);
    open.add(node);
    for (const arrow of arrows) {
      if (arrow.from !== node) continue;
      if (open.has(arrow.to)) backward.add(arrow);
      else if (!seen.has(arrow.to)) visit(arrow.to);
    }
    open.delete(node);
  };
  const isCalled = new Set(arrows.map(({ to }) => to));
  for (const node of nodes) if (!isCalled.has(node)) visit(node);
  for (const node of nodes) if (!seen.has(node)) visit(node);
  return backward;
}

/** Returns the layer of each node: after all that lead to it, and close to those it leads to. */
function ranksOf(nodes: readonly string[], arrows: readonly Arrow[]): Map<string, number> {
  const ranks = new Map<string, number>();
  const rankOf = (node: string): number => {
    const known = ranks.get(node);
    if (known !== undefined) return known;
    const before = arrows.filter(({ to }) => to === node).map(({ from }) => rankOf(from) + 1);
    const rank = Math.max(0, ...before);
    ranks.set(node, rank);
    return rank;
  };
  for (const node of nodes) rankOf(node);
  for (const node of nodes) {
    const after = arrows.filter(({ from }) => from === node).map(({ to }) => ranks.get(to)!);
    const isFirst = arrows.every(({ to }) => to !== node);
    if (isFirst && after.length > 0) ranks.set(node, Math.min(...after) - 1);
  }
  return ranks;
}

function passesOf({ from, to }: Arrow, ranks: ReadonlyMap<string, number>, id: number): string[] {
  const between = ranks.get(to)! - ranks.get(from)! - 1;
  return [from, ...Array.from({ length: between }, (_, at) => `pass ${id} ${at}`), to];
}

/** Maps each node to its neighbours in the layers before and after. */
interface Links {
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly after: ReadonlyMap<string, readonly string[]>;
}

/** Returns what each route connects, a layer at a time. */
export function linksOf(routes: readonly Pick<Route<Arrow>, "passes">[]): Links {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const { passes } of routes) {
    passes.slice(1).forEach((node, at) => {
      before.set(node, [...(before.get(node) ?? []), passes[at]!]);
      after.set(passes[at]!, [...(after.get(passes[at]!) ?? []), node]);
    });
  }
  return { before, after };
}

/** Moves each node to the mean of its neighbours, forwards and back, and keeps the best order. */
function withFewCrossings(layers: readonly (readonly string[])[], links: Links): string[][] {
  let current = layers.map((layer) => [...layer]);
  let best = current;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForwards = sweep % 2 === 0;
    const neighbours = isForwards ? links.before : links.after;
    const turned = isForwards ? current : current.toReversed();
    const moved: string[][] = [];
    for (const layer of turned) moved.push(byMean(layer, moved.at(-1) ?? [], neighbours));
    current = isForwards ? moved : moved.toReversed();
    if (crossings(current, links) < crossings(best, links)) best = current;
  }
  return best;
}

function byMean(
  layer: readonly string[],
  neighbourLayer: readonly string[],
  neighbours: ReadonlyMap<string, readonly string[]>,
): string[] {
  const places = new Map(neighbourLayer.map((node, at) => [node, at]));
  const means = layer.map((node, at) => {
    const near = (neighbours.get(node) ?? []).map((each) => places.get(each)!);
    return { node, mean: near.length === 0 ? at : near.reduce((a, b) => a + b) / near.length };
  });
  return means.toSorted((one, other) => one.mean - other.mean).map(({ node }) => node);
}

/** Counts the pairs of arrows that cross. */
export function crossings(layers: readonly (readonly string[])[], links: Links): number {
  return layers.slice(1).reduce((sum, layer, at) => {
    const places = new Map(layers[at]!.map((node, place) => [node, place]));
    const ends = layer.flatMap((node, end) =>
      (links.before.get(node) ?? []).map((each) => ({ start: places.get(each)!, end })),
    );
    const isCrossed = (one: (typeof ends)[0], other: (typeof ends)[0]): boolean =>
      one.start < other.start && one.end > other.end;
    return sum + ends.reduce((n, one) => n + ends.filter((each) => isCrossed(one, each)).length, 0);
  }, 0);
}
