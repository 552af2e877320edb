import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  type Arrow,
  crossings,
  type Layers,
  layersOf,
  linksOf,
} from "../../../src/page/model/layers.ts";

/** Returns the arrows in a text such as `a>b b>c`. */
function arrowsOf(text: string): Arrow[] {
  return text.split(" ").map((pair) => {
    const [from, to] = pair.split(">");
    return { from: from!, to: to! };
  });
}

function layered(text: string): Layers<Arrow> {
  const arrows = arrowsOf(text);
  return layersOf([...new Set(arrows.flatMap(({ from, to }) => [from, to]))], arrows);
}

/** Returns the layers without the places that long arrows pass. */
function nodesOf({ layers }: Layers<Arrow>): string[][] {
  return layers.map((layer) => layer.filter((node) => !node.startsWith("pass ")).toSorted());
}

test.each([
  { name: "a chain", arrows: "a>b b>c", layers: [["a"], ["b"], ["c"]] },
  { name: "two ways of different length", arrows: "a>b b>c a>c", layers: [["a"], ["b"], ["c"]] },
  {
    name: "a late caller, which is close to its callee",
    arrows: "a>b b>c c>d z>d",
    layers: [["a"], ["b"], ["c", "z"], ["d"]],
  },
  { name: "a circle", arrows: "b>c c>b a>b", layers: [["a"], ["b"], ["c"]] },
  { name: "a circle without a beginning", arrows: "b>a a>b", layers: [["a"], ["b"]] },
])("$name has its layers", ({ arrows, layers }) => {
  expect(nodesOf(layered(arrows))).toEqual(layers.map((layer) => [...layer]));
});

test("a graph without arrows has one layer", () => {
  expect(layersOf(["b", "a"], []).layers).toEqual([["a", "b"]]);
  expect(layersOf([], []).layers).toEqual([[]]);
});

test("only the arrow that closes a circle leads back", () => {
  const { routes } = layered("a>b b>c c>a");

  expect(routes.map(({ arrow, isBackward }) => [arrow.from, arrow.to, isBackward])).toEqual([
    ["a", "b", false],
    ["b", "c", false],
    ["c", "a", true],
  ]);
  expect(routes[2]!.passes).toEqual(["a", expect.stringMatching(/^pass /), "c"]);
});

test("lines are uncrossed", () => {
  const { layers, routes } = layered("a>y b>x c>w d>v");

  expect(crossings(layers, linksOf(routes))).toBe(0);
  expect(
    crossings(
      [
        ["a", "b", "c", "d"],
        ["v", "w", "x", "y"],
      ],
      linksOf(routes),
    ),
  ).toBe(6);
});

const GRAPHS = fc
  .uniqueArray(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 60, selector: String })
  .map((pairs) => pairs.filter(([from, to]) => from !== to))
  .map((pairs) => pairs.map(([from, to]) => ({ from: `s${from}`, to: `s${to}` })));

// Goal: any graph, with circles or in pieces, is laid out whole.
// Method: random graphs of up to thirty nodes.
test("in any graph, every route leads from a layer to the next", () => {
  fc.assert(
    fc.property(GRAPHS, (arrows) => {
      const nodes = [...new Set(arrows.flatMap(({ from, to }) => [from, to]))];
      const { layers, routes } = layersOf(nodes, arrows);
      const rank = new Map(layers.flatMap((layer, at) => layer.map((node) => [node, at] as const)));

      expect([...rank.keys()].filter((node) => !node.startsWith("pass ")).toSorted()).toEqual(
        nodes.toSorted(),
      );
      expect(layers.flat().length).toBe(rank.size);
      for (const { arrow, isBackward, passes } of routes) {
        const ends = isBackward ? [arrow.to, arrow.from] : [arrow.from, arrow.to];
        expect([passes[0]!, passes.at(-1)!]).toEqual(ends);
        const first = rank.get(passes[0]!)!;
        expect(passes.map((node) => rank.get(node)!)).toEqual(passes.map((_, at) => first + at));
      }
    }),
  );
});

test("the layers do not depend on the order of nodes and arrows", () => {
  fc.assert(
    fc.property(GRAPHS, (arrows) => {
      const nodes = [...new Set(arrows.flatMap(({ from, to }) => [from, to]))];

      expect(layersOf(nodes.toReversed(), arrows.toReversed())).toEqual(layersOf(nodes, arrows));
    }),
  );
});
