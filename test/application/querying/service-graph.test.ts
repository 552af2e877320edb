import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { MAX_CALLS, readServiceGraph } from "../../../src/application/querying/service-graph.ts";
import {
  type ConnectedSpan,
  connectedRequests,
  connectedSpans,
} from "../../support/requests/connected-spans.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { named, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const PLAIN: ConnectedSpan = {
  service: "shop",
  name: "GET /",
  trace: 1,
  id: 1,
  parent: undefined,
  links: [],
  isError: false,
  startNano: 1_000n,
  endNano: 3_000n,
};

async function graphOf(...spans: Partial<ConnectedSpan>[]) {
  const { buffer, arrive } = searchedRing();
  arrive(...connectedRequests(spans.map((each) => ({ ...PLAIN, ...each }))));
  return await readServiceGraph(buffer);
}

test("an empty ring has an empty graph", async () => {
  expect(await graphOf()).toEqual({
    services: [],
    calls: [],
    unknownParentCount: 0,
    unknownLinkCount: 0,
    otherCount: 0,
    range: { first: 1, next: 1 },
  });
});

test("a child that arrives before its parent is a call, with its duration", async () => {
  const { services, calls } = await graphOf(
    { service: "till", id: 2, parent: 1, isError: true },
    { service: "shop", id: 1 },
    { service: "shop", id: 3, parent: 1 },
  );

  expect(services).toEqual([
    { service: "till", spanCount: 1, errorCount: 1 },
    { service: "shop", spanCount: 2, errorCount: 0 },
  ]);
  expect(calls).toMatchObject([
    { from: "shop", to: "till", callCount: 1, errorCount: 1, linkCount: 0 },
  ]);
  expect(calls[0]!.durations).toMatchObject({ count: 1, leastNano: 2_000, mostNano: 2_000 });
});

test("a parent of another trace is unknown, and so is an evicted one", async () => {
  const { calls, unknownParentCount } = await graphOf(
    { service: "till", id: 2, trace: 2, parent: 1 },
    { service: "till", id: 3, parent: 99 },
    { id: 1 },
  );

  expect(calls).toEqual([]);
  expect(unknownParentCount).toBe(2);
});

test("a link without identifiers is neither a call nor unknown", async () => {
  const { buffer, arrive } = searchedRing();
  const noIds = bytesField(13, bytesField(3, "a=b"));
  const noSpanId = bytesField(13, bytesField(1, traceId(1)));
  const noTraceId = bytesField(13, bytesField(2, spanId(1)));
  arrive(request(resourceSpans("shop", span(1, noIds, noSpanId, noTraceId))));

  const { calls, unknownLinkCount } = await readServiceGraph(buffer);

  expect({ calls, unknownLinkCount }).toEqual({ calls: [], unknownLinkCount: 0 });
});

test("only calls by matching spans are counted, whatever their parents", async () => {
  const { buffer, arrive } = searchedRing();
  const spans = [
    { ...PLAIN },
    { ...PLAIN, service: "till", id: 2, parent: 1, name: "pay" },
    { ...PLAIN, service: "db", id: 3, parent: 1, name: "query" },
  ];
  arrive(...connectedRequests(spans));

  const { services, calls } = await readServiceGraph(buffer, named("pay"));

  expect(services).toMatchObject([{ service: "till", spanCount: 1 }]);
  expect(calls).toMatchObject([{ from: "shop", to: "till", callCount: 1 }]);
});

test("spans that arrive during the first pass are left out", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(3_000));

  const pending = readServiceGraph(buffer);
  arrive(requestOf(3_000));
  await nextTurn();
  const { services, range } = await pending;

  expect(services).toMatchObject([{ service: "shop", spanCount: 3_000 }]);
  expect(range).toEqual({ first: 1, next: 3_001 });
});

test("calls between too many services are counted together", async () => {
  const { buffer, arrive } = searchedRing();
  const services = Array.from({ length: 1_100 }, (_, index) => `service ${index}`);
  const spans = services.flatMap((service, index) => [
    { ...PLAIN, service, trace: index, id: 1 },
    { ...PLAIN, service: "hub", trace: index, id: 2, parent: 1 },
    { ...PLAIN, service: "db", trace: index, id: 3, parent: 1 },
    { ...PLAIN, service: "till", trace: index, id: 4, parent: 1 },
  ]);
  arrive(...connectedRequests(spans));

  const graph = await readServiceGraph(buffer);

  const others = graph.services.find(({ service }) => service === "(other services)");
  expect(others?.spanCount).toBe(1_100 + 3 - 1_000);
  expect(graph.calls).toHaveLength(MAX_CALLS);
  const listed = graph.calls.reduce((sum, { callCount }) => sum + callCount, 0);
  expect(listed + graph.otherCount).toBe(3_300);
});

function plainGraph(spans: readonly ConnectedSpan[]) {
  const ownerOf = (trace: number, id: number) =>
    spans.find((each) => each.trace === trace && each.id === id)?.service;
  const calls = new Map<string, { calls: number; errors: number; links: number }>();
  let [unknownParents, unknownLinks] = [0, 0];
  for (const { service, trace, parent, links, isError } of spans) {
    const count = (from: string | undefined, isCall: boolean) => {
      if (from === undefined || from === service) return;
      const key = `${from} > ${service}`;
      const call = calls.get(key) ?? { calls: 0, errors: 0, links: 0 };
      call.calls += Number(isCall);
      call.errors += Number(isCall && isError);
      call.links += Number(!isCall);
      calls.set(key, call);
    };
    if (parent !== undefined) {
      const from = ownerOf(trace, parent);
      unknownParents += Number(from === undefined);
      count(from, true);
    }
    for (const link of links) {
      const from = ownerOf(trace, link);
      unknownLinks += Number(from === undefined);
      count(from, false);
    }
  }
  return { calls: Object.fromEntries(calls), unknownParents, unknownLinks };
}

// Goal: the graph agrees with one that follows each parent and link among the spans as described.
test("the graph agrees with a plain one", async () => {
  let callCount = 0;
  const property = fc.asyncProperty(connectedSpans, async (spans) => {
    const graph = await graphOf(...spans);

    const calls = graph.calls.map((call) => [
      `${call.from} > ${call.to}`,
      { calls: call.callCount, errors: call.errorCount, links: call.linkCount },
    ]);
    callCount += calls.length;
    expect({
      calls: Object.fromEntries(calls),
      unknownParents: graph.unknownParentCount,
      unknownLinks: graph.unknownLinkCount,
    }).toEqual(plainGraph(spans));
  });

  await fc.assert(property, { numRuns: fuzzRuns(300) });
  expect(callCount).toBeGreaterThan(200);
});
