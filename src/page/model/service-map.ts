import { type Arrow, type Layers, layersOf, linksOf } from "./layers.ts";
import type { Call, GraphService, ServiceGraph } from "./service-graph.ts";

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** A service on the map. */
export interface MapNode extends GraphService, Box {}

/** A line from one service to another, with its head, and the place of its label. */
export interface MapCall {
  readonly call: Call;
  readonly line: string;
  readonly head: string;
  readonly label: Point;
}

export interface ServiceMap {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly MapNode[];
  readonly calls: readonly MapCall[];
  /** Services that are not on the map, because it would not be readable. */
  readonly hiddenCount: number;
}

/** More services than these are left to the table. */
export const MAX_MAP_SERVICES = 30;

const NODE_HEIGHT = 46;
const MARGIN = 8;
/** The space between nodes of a layer, and the one that a passing line takes. */
const NODE_GAP = 16;
const PASS_HEIGHT = 12;
const LABEL_SHIFT = 5;
const HEAD = { length: 7, half: 4 } as const;

/** Lays services out in layers from left to right, so that calls lead to the right. */
export function serviceMap(graph: ServiceGraph, availableWidth: number): ServiceMap {
  const shown = shownServices(graph);
  const names = new Set(shown.map(({ service }) => service));
  const calls = graph.calls.filter(({ from, to }) => names.has(from) && names.has(to));
  const called = new Set(calls.flatMap(({ from, to }) => [from, to]));
  const layers = layersOf([...called], calls);
  const columns = columnsFor(layers.layers.length, availableWidth);
  const places = alignedPlaces(layers, columns);
  const alone = [...names].filter((name) => !called.has(name)).toSorted();
  addAlone(places, alone, columns);
  const all = [...places.values()];
  return {
    width: Math.max(0, ...all.map(({ x }) => x + columns.nodeWidth)) + MARGIN,
    height: Math.max(0, ...all.map(({ y, height }) => y + height)) + MARGIN,
    nodes: shown.map((each) => ({ ...each, ...boxOf(places.get(each.service)!, columns) })),
    calls: drawnCalls(layers, places, columns),
    hiddenCount: graph.services.length - shown.length,
  };
}

function boxOf({ x, y, height }: Place, { nodeWidth: width }: Columns): Box {
  return { x, y, width, height };
}

/** Returns the services with the most spans, by name. */
function shownServices({ services }: ServiceGraph): GraphService[] {
  const busiest = services.toSorted((one, other) => other.spans - one.spans);
  return busiest
    .slice(0, MAX_MAP_SERVICES)
    .toSorted((one, other) => (one.service < other.service ? -1 : 1));
}

/** The place of a service, or of a line that passes a layer. */
interface Place extends Point {
  readonly height: number;
}

interface Columns {
  readonly nodeWidth: number;
  /** The distance from one layer to the next. */
  readonly step: number;
  /** How many services without calls fit beside each other. */
  readonly inRow: number;
}

function columnsFor(layerCount: number, availableWidth: number): Columns {
  const space = availableWidth - 2 * MARGIN;
  const gapCount = Math.max(1, layerCount - 1);
  const nodeWidth = between(144, Math.floor((space - gapCount * 32) / layerCount), 160);
  const gap = between(32, Math.floor((space - layerCount * nodeWidth) / gapCount), 120);
  const step = nodeWidth + gap;
  return { nodeWidth, step, inRow: Math.max(1, Math.floor((space + gap) / step)) };
}

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Places each layer beside the nodes that lead to it, as far as its nodes do not overlap. */
function alignedPlaces<Each extends Arrow>(
  { layers, routes }: Layers<Each>,
  { step }: Columns,
): Map<string, Place> {
  const places = new Map<string, Place>();
  const { before, after } = linksOf(routes);
  const services = new Set(routes.flatMap(({ arrow }) => [arrow.from, arrow.to]));
  const heightOf = (node: string): number => (services.has(node) ? NODE_HEIGHT : PASS_HEIGHT);
  const align = (neighbours: ReadonlyMap<string, readonly string[]>) => (layer: number) => {
    const nodes = layers[layer]!;
    const wanted = nodes.map((node) => {
      const near = (neighbours.get(node) ?? []).map((each) => middleOf(places.get(each)!));
      return near.length === 0 ? (places.get(node)?.y ?? 0) : mean(near) - heightOf(node) / 2;
    });
    const free = withoutOverlap(nodes.map(heightOf), wanted);
    nodes.forEach((node, at) => {
      places.set(node, { x: MARGIN + layer * step, y: free[at]!, height: heightOf(node) });
    });
  };
  const numbers = [...layers.keys()];
  numbers.forEach(align(before));
  numbers.toReversed().slice(1).forEach(align(after));
  numbers.slice(1).forEach(align(before));
  const top = Math.min(...[...places.values()].map(({ y }) => y)) - MARGIN;
  for (const [node, place] of places) places.set(node, { ...place, y: place.y - top });
  return places;
}

function middleOf({ y, height }: Place): number {
  return y + height / 2;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns positions in this order that are as wanted on average, and do not overlap. */
function withoutOverlap(heights: readonly number[], wanted: readonly number[]): number[] {
  let end = -Infinity;
  const pushed = wanted.map((position, at) => {
    const free = Math.max(position, end);
    end = free + heights[at]! + NODE_GAP;
    return free;
  });
  const shift = mean(pushed.map((position, at) => position - wanted[at]!));
  return pushed.map((position) => position - shift);
}

/** Places the services without calls in rows below the others. */
function addAlone(
  places: Map<string, Place>,
  alone: readonly string[],
  { step, inRow }: Columns,
): void {
  const ends = [...places.values()].map(({ y, height }) => y + height + NODE_GAP);
  const top = Math.max(MARGIN, ...ends);
  alone.forEach((service, at) => {
    const y = top + Math.floor(at / inRow) * (NODE_HEIGHT + NODE_GAP);
    places.set(service, { x: MARGIN + (at % inRow) * step, y, height: NODE_HEIGHT });
  });
}

/** Draws each call as a curve through the places it passes, with lines side by side at a node. */
function drawnCalls(
  { routes }: Layers<Call>,
  places: ReadonlyMap<string, Place>,
  { nodeWidth }: Columns,
): MapCall[] {
  const starts = portsOf(
    routes.map(({ passes }) => [passes[0]!, passes[1]!]),
    places,
  );
  const ends = portsOf(
    routes.map(({ passes }) => [passes.at(-1)!, passes.at(-2)!]),
    places,
  );
  return routes.map(({ arrow, isBackward, passes }, at) => {
    const passed = passes.slice(1, -1).flatMap((pass) => {
      const place = places.get(pass)!;
      const y = middleOf(place);
      return [
        { x: place.x, y },
        { x: place.x + nodeWidth, y },
      ];
    });
    const start = { x: places.get(passes[0]!)!.x + nodeWidth, y: starts[at]! };
    const end = { x: places.get(passes.at(-1)!)!.x, y: ends[at]! };
    const points = [start, ...passed, end];
    const head = isBackward ? headAt(start, HEAD.length) : headAt(end, -HEAD.length);
    const middle = middlePoint(points);
    // So that the labels of calls in both directions do not overlap.
    const label = { x: middle.x, y: middle.y + (isBackward ? LABEL_SHIFT : -LABEL_SHIFT) };
    return { call: arrow, line: curve(points), head, label };
  });
}

/** Returns a point of the curve in the middle of its way. */
function middlePoint(points: readonly Point[]): Point {
  const one = points[points.length / 2 - 1]!;
  const other = points[points.length / 2]!;
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

/** Returns the height at which each line meets its node, in the order of their other ends. */
function portsOf(
  ends: readonly (readonly [node: string, next: string])[],
  places: ReadonlyMap<string, Place>,
): number[] {
  const nextY = ends.map(([, next]) => middleOf(places.get(next)!));
  return ends.map(([node], at) => {
    const beside = [...ends.keys()].filter((each) => ends[each]![0] === node);
    const sorted = beside.toSorted((one, other) => nextY[one]! - nextY[other]! || one - other);
    const space = Math.min(10, (NODE_HEIGHT * 0.7) / beside.length);
    return middleOf(places.get(node)!) + (sorted.indexOf(at) - (beside.length - 1) / 2) * space;
  });
}

function curve(points: readonly Point[]): string {
  const bends = points.slice(1).map((to, at) => {
    const from = points[at]!;
    const x = (from.x + to.x) / 2;
    return `C${pair(x, from.y)} ${pair(x, to.y)} ${pair(to.x, to.y)}`;
  });
  return `M${pair(points[0]!.x, points[0]!.y)}${bends.join("")}`;
}

function pair(x: number, y: number): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** Returns a triangle whose tip is at the end of a line. */
function headAt({ x, y }: Point, length: number): string {
  const base = x + length;
  return `M${pair(x, y)}L${pair(base, y - HEAD.half)}L${pair(base, y + HEAD.half)}Z`;
}

const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Returns the nearest node in the direction of an arrow key; undefined without one. */
export function nodeTowards(
  nodes: readonly MapNode[],
  service: string,
  key: string,
): MapNode | undefined {
  const direction = DIRECTIONS[key];
  const from = nodes.find((each) => each.service === service);
  if (direction === undefined || from === undefined) return undefined;
  const distances = nodes.map((node) => {
    const [dx, dy] = [node.x - from.x, node.y - from.y];
    const ahead = dx * direction.x + dy * direction.y;
    const aside = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    return { node, ahead, distance: ahead + 2 * aside };
  });
  const before = distances.filter(({ ahead, distance }) => ahead > 0 && distance < Infinity);
  return before.toSorted((one, other) => one.distance - other.distance)[0]?.node;
}
