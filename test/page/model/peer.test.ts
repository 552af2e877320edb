import { expect, test } from "bun:test";
import { peerText } from "../../../src/page/model/peer.ts";
import { traceTree } from "../../../src/page/model/trace-tree.ts";

const CLIENT = 3;
const PRODUCER = 4;

function attributesOf(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

function resourceSpans(service: string, span: { readonly spanId: string; readonly kind?: number }) {
  const resource = { attributes: attributesOf({ "service.name": service }) };
  return { resource, scopeSpans: [{ spans: [{ traceId: "1", ...span }] }] };
}

test.each([
  [{ "peer.service": "stock", "server.address": "10.0.0.1" }, "stock"],
  [{ "db.system.name": "postgresql", "db.namespace": "orders" }, "postgresql orders"],
  [{ "db.system": "redis", "server.address": "cache" }, "redis"],
  [{ "messaging.system": "kafka", "messaging.destination.name": "paid" }, "kafka paid"],
  [{ "server.address": "api.example.com", "server.port": "443" }, "api.example.com:443"],
  [{ "net.peer.name": "old.example.com" }, "old.example.com"],
  [{ "server.port": "443" }, ""],
  [{}, ""],
])("a call with %j goes to %p", (attributes, peer) => {
  const span = { spanId: "1", kind: CLIENT, attributes: attributesOf(attributes) };

  expect(peerText(traceTree({ resourceSpans: [resourceSpans("shop", span)] }).spans[0]!)).toBe(
    peer,
  );
});

test("a producer calls, and a server does not", () => {
  const texts = [PRODUCER, 2, undefined].map((kind) => {
    const attributes = attributesOf({ "peer.service": "stock" });
    const span = { spanId: "1", ...(kind !== undefined && { kind }), attributes };
    return peerText(traceTree({ resourceSpans: [resourceSpans("shop", span)] }).spans[0]!);
  });

  expect(texts).toEqual(["stock", "", ""]);
});

test.each([
  { name: "of another service", service: "stock", kind: undefined },
  { name: "of the same service, as one that calls itself", service: "shop", kind: 2 },
  { name: "of the same service, which consumes its own messages", service: "shop", kind: 5 },
])("a peer that sends spans of its own $name is not named", ({ service, kind }) => {
  const attributes = attributesOf({ "peer.service": "stock" });
  const tree = traceTree({
    resourceSpans: [
      resourceSpans("shop", { spanId: "1", kind: CLIENT, attributes } as never),
      resourceSpans(service, { spanId: "2", parentSpanId: "1", kind } as never),
    ],
  });

  expect(peerText(tree.spans[0]!)).toBe("");
});

test("a peer is named if only the caller has spans below its call", () => {
  const attributes = attributesOf({ "peer.service": "stock" });
  const tree = traceTree({
    resourceSpans: [
      resourceSpans("shop", { spanId: "1", kind: CLIENT, attributes } as never),
      resourceSpans("shop", { spanId: "2", parentSpanId: "1", kind: 1 } as never),
    ],
  });

  expect(peerText(tree.spans[0]!)).toBe("stock");
});
