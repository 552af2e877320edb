import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Call, GraphService, ServiceGraph } from "../../../src/page/model/service-graph.ts";
import {
  MAX_MAP_SERVICES,
  type MapNode,
  nodeTowards,
  type ServiceMap,
  serviceMap,
} from "../../../src/page/model/service-map.ts";

function call(from: string, to: string): Call {
  const unknown = { p50Nano: null, p95Nano: null, p99Nano: null };
  return { from, to, calls: 1, errors: 0, links: 0, ...unknown };
}

function graphOf(services: readonly (string | GraphService)[], calls: readonly Call[]) {
  const whole = services.map((each) =>
    typeof each === "string" ? { service: each, spans: 1, errors: 0 } : each,
  );
  const counts = { unknownParents: 0, unknownLinks: 0, others: 0 };
  return { services: whole, calls, ...counts } satisfies ServiceGraph;
}

/** Returns the first and the last point of a line. */
function endsOf(line: string): [x: number, y: number][] {
  const numbers = line.match(/-?[\d.]+/g)!.map(Number);
  return [
    [numbers[0]!, numbers[1]!],
    [numbers.at(-2)!, numbers.at(-1)!],
  ];
}

function nodeOf({ nodes }: ServiceMap, service: string): MapNode {
  return nodes.find((each) => each.service === service)!;
}

test("a call leads from the right side of its caller to the left side of its callee", () => {
  const map = serviceMap(graphOf(["web", "api"], [call("web", "api")]), 1000);
  const [web, api] = [nodeOf(map, "web"), nodeOf(map, "api")];

  expect(api.x).toBeGreaterThan(web.x + web.width);
  expect(endsOf(map.calls[0]!.line)).toEqual([
    [web.x + web.width, web.y + web.height / 2],
    [api.x, api.y + api.height / 2],
  ]);
  expect(map.calls[0]!.head).toStartWith(`M${api.x.toFixed(1)} `);
  expect(map.calls[0]!.label.x).toBe((web.x + web.width + api.x) / 2);
});

test("of two calls in opposite directions, one has its head at the caller's side", () => {
  const map = serviceMap(graphOf(["a", "b"], [call("a", "b"), call("b", "a")]), 1000);
  const [a, b] = [nodeOf(map, "a"), nodeOf(map, "b")];
  const heads = map.calls.map(({ head }) => Number(/[\d.]+/.exec(head)![0]));

  expect(heads).toEqual([b.x, a.x + a.width]);
  expect(new Set(map.calls.map(({ line }) => line)).size).toBe(2);
});

test("a long call passes beside the services between", () => {
  const calls = [call("a", "b"), call("b", "c"), call("a", "c")];
  const map = serviceMap(graphOf(["a", "b", "c"], calls), 1000);
  const b = nodeOf(map, "b");
  const long = map.calls.find((each) => each.call.from === "a" && each.call.to === "c")!;

  expect(long.label.x).toBe(b.x + b.width / 2);
  expect(long.label.y < b.y || long.label.y > b.y + b.height).toBe(true);
});

test("services without calls are in rows below the others, as many as fit", () => {
  const alone = ["m", "n", "o", "p", "q"];
  const map = serviceMap(graphOf(["a", "b", ...alone], [call("a", "b")]), 700);
  const nodes = alone.map((service) => nodeOf(map, service));

  expect(nodes[0]!.y).toBeGreaterThan(nodeOf(map, "a").y + nodeOf(map, "a").height);
  expect(nodes[1]!.y).toBe(nodes[0]!.y);
  expect(nodes.at(-1)!.y).toBeGreaterThan(nodes[0]!.y);
  expect(map.width).toBeLessThanOrEqual(700);
});

test("only the services with the most spans are on the map", () => {
  const services = Array.from({ length: MAX_MAP_SERVICES + 5 }, (_, at) => {
    return { service: `s${at}`, spans: at, errors: 0 };
  });
  const map = serviceMap(graphOf(services, [call("s0", "s30")]), 1000);

  expect(map.nodes).toHaveLength(MAX_MAP_SERVICES);
  expect(map.hiddenCount).toBe(5);
  expect(map.nodes.some(({ service }) => service === "s4")).toBe(false);
  expect(map.calls).toEqual([]);
});

test("an empty graph is an empty map", () => {
  expect(serviceMap(graphOf([], []), 0)).toMatchObject({ nodes: [], calls: [], hiddenCount: 0 });
});

function placesOf({ nodes }: ServiceMap): unknown[] {
  return nodes.map(({ service, x, y }) => [service, x, y]);
}

test("the map does not move while only counts change", () => {
  const calls = [call("a", "b"), call("a", "c"), call("c", "b")];
  const before = serviceMap(graphOf(["a", "b", "c"], calls), 900);
  const counted = { service: "c", spans: 99, errors: 3 };
  const after = serviceMap(graphOf([counted, "a", "b"], calls.toReversed()), 900);

  expect(placesOf(after)).toEqual(placesOf(before));
});

const GRAPHS = fc
  .record({
    count: fc.integer({ min: 1, max: MAX_MAP_SERVICES }),
    pairs: fc.uniqueArray(fc.tuple(fc.nat(), fc.nat()), { maxLength: 60, selector: String }),
    width: fc.constantFrom(300, 800, 2000),
  })
  .map(({ count, pairs, width }) => {
    const services = Array.from({ length: count }, (_, at) => `s${at}`);
    const named = new Set(
      pairs
        .map(([from, to]) => `${from % count} ${to % count}`)
        .filter((pair) => {
          const [from, to] = pair.split(" ");
          return from !== to;
        }),
    );
    const calls = [...named].map((pair) => {
      const [from, to] = pair.split(" ");
      return call(`s${from}`, `s${to}`);
    });
    return { graph: graphOf(services, calls), width };
  });

// Goal: any map of up to thirty services can be read.
// Method: random graphs, and the boxes of their services.
test("no two services overlap, and all are inside the map", () => {
  fc.assert(
    fc.property(GRAPHS, ({ graph, width }) => {
      const map = serviceMap(graph, width);
      const overlaps = map.nodes.flatMap((one, at) =>
        map.nodes.slice(at + 1).filter((other) => {
          const isBeside = one.x + one.width <= other.x || other.x + other.width <= one.x;
          return !isBeside && one.y < other.y + other.height && other.y < one.y + one.height;
        }),
      );

      expect(overlaps).toEqual([]);
      for (const { x, y, width: nodeWidth, height } of map.nodes) {
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect(x + nodeWidth).toBeLessThan(map.width);
        expect(y + height).toBeLessThan(map.height);
      }
      expect(map.calls).toHaveLength(graph.calls.length);
    }),
  );
});

test("arrows lead to the nearest service in their direction", () => {
  const calls = [call("a", "b"), call("a", "c"), call("b", "d")];
  const { nodes } = serviceMap(graphOf(["a", "b", "c", "d"], calls), 1000);
  const towards = (service: string, key: string) => nodeTowards(nodes, service, key)?.service;

  expect(towards("b", "ArrowLeft")).toBe("a");
  expect(towards("b", "ArrowRight")).toBe("d");
  expect([towards("b", "ArrowDown"), towards("c", "ArrowUp")]).toEqual(["c", "b"]);
  expect(towards("a", "ArrowLeft")).toBeUndefined();
  expect(towards("a", "Enter")).toBeUndefined();
  expect(towards("gone", "ArrowLeft")).toBeUndefined();
});
