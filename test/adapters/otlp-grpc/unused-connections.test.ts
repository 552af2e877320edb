import { describe, expect, test } from "bun:test";
import type { Connection } from "../../../src/adapters/otlp-grpc/connection-table.ts";
import {
  type Stage,
  UnusedConnections,
} from "../../../src/adapters/otlp-grpc/unused-connections.ts";
import { fakeConnection } from "../../support/fakes/grpc-fake-socket.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";

function inStage(stage: Stage, address: string): Connection {
  const connection = fakeConnection(address);
  connection.advance(stage);
  return connection;
}

function holding(connections: readonly Connection[]): UnusedConnections<Connection> {
  const unused = new UnusedConnections<Connection>();
  for (const each of connections) unused.add(each);
  return unused;
}

describe("the connection that makes room", () => {
  test("is the oldest of the address with the most silent ones", () => {
    const few = inStage("silent", "a");
    const many = ["b", "b", "b"].map((address) => inStage("silent", address));

    expect(holding([few, ...many]).choose()).toBe(many[0]);
  });

  test("is the oldest without a whole message beside fewer silent ones", () => {
    const unfinished = ["a", "a"].map((address) => inStage("unfinished", address));
    const silent = inStage("silent", "a");
    const unused = holding([silent, ...unfinished]);

    expect([unused.choose(), unused.choose("a")]).toEqual([unfinished[0], unfinished[0]]);
  });

  test("is a silent one of an address where both groups are equal", () => {
    const [unfinished, silent] = [inStage("unfinished", "a"), inStage("silent", "a")];

    expect(holding([unfinished, silent]).choose("a")).toBe(silent);
  });

  test("is of the address that is asked for, although another has more", () => {
    const own = inStage("silent", "a");
    const others = ["b", "b"].map((address) => inStage("silent", address));
    const unused = holding([...others, own]);

    expect(unused.choose("a")).toBe(own);
    expect(unused.choose("c")).toBeUndefined();
  });

  test("is never one that has sent a message", () => {
    expect(holding([inStage("used", "a")]).choose()).toBeUndefined();
  });
});

test("connections that leave do not leave an entry", () => {
  const connections = [inStage("silent", "a"), inStage("unfinished", "b"), inStage("used", "c")];
  const unused = holding(connections);
  const during = countEntries(unused);

  for (const each of connections) unused.remove(each, each.stage);

  expect([during > 0, countEntries(unused)]).toEqual([true, 0]);
});
