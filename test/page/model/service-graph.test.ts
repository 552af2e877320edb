import { expect, test } from "bun:test";
import { chipsOf } from "../../../src/page/model/filters.ts";
import {
  type Call,
  type Operation,
  operationsWith,
  restMs,
  callsText,
  tracesUrl,
} from "../../../src/page/model/service-graph.ts";

test("an operation leads to its traces by the filters of that view", () => {
  const url = tracesUrl("a&b", "GET /x?y=1 é", "error");

  expect(url).toStartWith("/?");
  expect(chipsOf(url.slice(2))).toEqual([
    { name: "service", value: "a&b" },
    { name: "name", value: "GET /x?y=1 é" },
    { name: "status", value: "error" },
  ]);
});

test("an operation without a name leads to all traces of its service", () => {
  expect(tracesUrl("shop", "")).toBe("/?service=shop");
  expect(tracesUrl("shop")).toBe("/?service=shop");
});

test.each([
  ["", ["cart GET /items", "shop GET /orders", "shop SELECT"]],
  ["  get ", ["cart GET /items", "shop GET /orders"]],
  ["SHOP", ["shop GET /orders", "shop SELECT"]],
  ["nothing", []],
])("the text %p finds its operations", (text, found) => {
  const operations = [
    { service: "cart", name: "GET /items" },
    { service: "shop", name: "GET /orders" },
    { service: "shop", name: "SELECT" },
  ] as Operation[];

  const names = operationsWith(operations, text).map(({ service, name }) => `${service} ${name}`);
  expect(names).toEqual(found);
});

test("a service says whom it calls, and who calls it", () => {
  const calls = [
    { from: "web", to: "shop" },
    { from: "shop", to: "cart" },
    { from: "shop", to: "stock" },
  ] as Call[];

  expect(callsText("shop", calls)).toBe("calls cart, stock; called by web");
  expect(callsText("web", calls)).toBe("calls shop");
  expect(callsText("alone", calls)).toBe("");
});

test("reading takes at most a tenth of the time", () => {
  expect([0, 100, 222].map(restMs)).toEqual([2000, 2000, 2000]);
  expect(restMs(1000)).toBe(9000);
});
